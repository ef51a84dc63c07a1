"""The pages that people look at: server-rendered, in two languages, whole without script."""

from tongbao.console.console import Console
from tongbao.console.recall import Movement, Recall

__all__ = ["Console", "Movement", "Recall"]

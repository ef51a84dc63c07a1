"""The pages that people look at: server-rendered, in two languages, whole without script."""

from tongbao.console.console import Console
from tongbao.console.movements import Movement, MovementIndex, MovementPage

__all__ = ["Console", "Movement", "MovementIndex", "MovementPage"]

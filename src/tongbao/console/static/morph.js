// Makes one element look like another and touches only what differs, so that nothing flickers,
// and focus, selection and opened details stay where they are.

/** Make `old` have the attributes and children of `wanted`. `data-key` tells children apart. */
export function morph(old, wanted) {
  attributes(old, wanted);
  const keyed = new Map();
  for (const child of old.children) {
    if (child.dataset?.key) keyed.set(child.dataset.key, child);
  }
  const wasEmpty = keyed.size === 0;
  let place = old.firstChild;
  for (const next of [...wanted.childNodes]) {
    const key = next.dataset?.key;
    const found = key === undefined ? unkeyed(place) : keyed.get(key);
    const same = found?.nodeName === next.nodeName ? found : undefined;
    keyed.delete(key);
    if (same === undefined) {
      const made = document.importNode(next, true);
      if (key !== undefined && !wasEmpty) made.classList.add("fresh");
      old.insertBefore(made, place);
      continue;
    }
    if (same === place) place = place.nextSibling;
    else old.insertBefore(same, place);
    if (!same.isEqualNode(next)) change(same, next);
  }
  while (place !== null) {
    const gone = place;
    place = place.nextSibling;
    gone.remove();
  }
}

/** A node, unless it is one that a key will claim. */
function unkeyed(node) {
  return node?.dataset?.key === undefined ? node : null;
}

function change(node, wanted) {
  if (node.nodeType === Node.ELEMENT_NODE) morph(node, wanted);
  else node.nodeValue = wanted.nodeValue;
}

function attributes(old, wanted) {
  for (const { name } of [...old.attributes]) {
    const isOfReader = name === "open" && old.localName === "details";
    if (!wanted.hasAttribute(name) && !isOfReader) old.removeAttribute(name);
  }
  for (const { name, value } of wanted.attributes) {
    if (old.getAttribute(name) !== value) old.setAttribute(name, value);
  }
}

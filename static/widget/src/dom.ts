// Making elements without any markup: pages that require Trusted Types take no strings of HTML.

/** A new element with these properties and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<Omit<HTMLElementTagNameMap[Name], "part">> & { part?: string },
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  return put(Object.assign(document.createElement(name), properties), ...children);
}

/** Adds these; not by `append`, which some pages have replaced by one of their own. */
export function put<Parent extends Node>(parent: Parent, ...children: Node[]): Parent {
  for (const child of children) parent.appendChild(child);
  return parent;
}

/** Something that can be chosen. */
export interface Action {
  text: string;
  /** Not the first thing that one would choose. */
  quiet?: boolean;
  /** It takes something away. */
  bad?: boolean;
  /** What it is about: so it is found again after a drawing. */
  about?: string;
  act: () => void;
}

/** A button for it. */
export function action({ text, quiet, bad, about = "", act }: Action): HTMLButtonElement {
  const button = make("button", { part: "action", type: "button", name: about, textContent: text, onclick: act });
  button.toggleAttribute("data-quiet", !!quiet);
  button.toggleAttribute("data-bad", !!bad);
  return button;
}

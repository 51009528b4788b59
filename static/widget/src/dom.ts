// Makes elements without HTML strings, which pages that require Trusted Types forbid.

/** A new element with these properties and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<Omit<HTMLElementTagNameMap[Name], "part">> & { part?: string },
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  return append(Object.assign(document.createElement(name), properties), ...children);
}

/** Appends children. Not by `append`, which some pages replace by a function of their own. */
export function append<Parent extends Node>(parent: Parent, ...children: Node[]): Parent {
  for (const child of children) parent.appendChild(child);
  return parent;
}

/** What a button of the panel says and does. */
export interface Action {
  text: string;
  /** A secondary action. */
  quiet?: boolean;
  /** A destructive action. */
  bad?: boolean;
  /** Id of what it is about, by which it is found after a redraw. */
  about?: string;
  act: () => void;
}

/** The button of an action. */
export function action({ text, quiet, bad, about = "", act }: Action): HTMLButtonElement {
  const button = make("button", { part: "action", type: "button", name: about, textContent: text, onclick: act });
  button.toggleAttribute("data-quiet", !!quiet);
  button.toggleAttribute("data-bad", !!bad);
  return button;
}

// Creates elements without HTML strings, which a page's CSP may forbid (Trusted Types).

/** Creates an element with these properties and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<Omit<HTMLElementTagNameMap[Name], "part">> & { part?: string },
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  return append(Object.assign(document.createElement(name), properties), ...children);
}

/** Appends children. Avoids `Element.append`, which some pages replace by a function of their own. */
export function append<Parent extends Node>(parent: Parent, ...children: Node[]): Parent {
  for (const child of children) parent.appendChild(child);
  return parent;
}

/** A button of the panel: its text, its look, and what it does. */
export interface Action {
  text: string;
  secondary?: boolean;
  destructive?: boolean;
  /** Id of the connection that it ends; the button's `name`, by which it is found after a redraw. */
  connection?: string;
  act: () => void;
}

/** Creates the button of an action. */
export function action({ text, secondary, destructive, connection = "", act }: Action): HTMLButtonElement {
  const button = make("button", { part: "action", type: "button", name: connection, textContent: text, onclick: act });
  button.toggleAttribute("data-quiet", !!secondary);
  button.toggleAttribute("data-bad", !!destructive);
  return button;
}

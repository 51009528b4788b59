// Making elements without any markup: pages that require Trusted Types take no strings of HTML.

/** A new element with these properties and children. */
export function make<Name extends keyof HTMLElementTagNameMap>(
  name: Name,
  properties: Partial<Omit<HTMLElementTagNameMap[Name], "part">> & { part?: string },
  ...children: Node[]
): HTMLElementTagNameMap[Name] {
  const made = Object.assign(document.createElement(name), properties);
  made.append(...children);
  return made;
}

/** Something that can be chosen. */
export interface Action {
  text: string;
  /** Not the first thing that one would choose. */
  quiet?: boolean;
  /** It takes something away. */
  bad?: boolean;
  act: () => void;
}

/** A button for it. */
export function action({ text, quiet, bad, act }: Action): HTMLButtonElement {
  const button = make("button", { part: "action", type: "button", textContent: text, onclick: act });
  button.toggleAttribute("data-quiet", !!quiet);
  button.toggleAttribute("data-bad", !!bad);
  return button;
}

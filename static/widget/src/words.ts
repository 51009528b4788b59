// The texts that the user reads. They come from the BFF.

/**
 * The texts by key. A text that was loaded for an element's `locale` has the language tag in front of its key: `debutton`.
 * `lang` and `dir` are the language and direction of the texts.
 */
export const words = {
  lang: "",
  dir: "",
  // Shown until the texts are loaded. The fallback, made from the key, would be "Button".
  button: "Connect",
  // Without a prototype, so that a key such as `constructor` finds no inherited property.
  __proto__: null,
} as unknown as Record<string, string | undefined> & { lang: string };

/** A key as English text: `connector_unavailable` becomes "Connector unavailable". */
export const humanize = (key: string): string => key.replace(/^./, (first) => first.toUpperCase()).replace(/_/g, " ");

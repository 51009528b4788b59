// The texts that the user reads. They come from the BFF.

/**
 * The texts by the `locale` of the elements that they were loaded for (empty: the default language), and by key. Those of one
 * connector have its key and a space in front. `lang` and `dir` are the language and direction of the texts. Neither the outer
 * nor the inner record has a prototype, so that a key such as `constructor` finds no inherited property.
 */
export const words = { __proto__: null } as object as Record<string, Record<string, string | undefined> | undefined>;

/** A key as English text: `connector_unavailable` becomes "Connector unavailable". */
export const humanize = (key: string): string => key.replace(/^./, (first) => first.toUpperCase()).replace(/_/g, " ");

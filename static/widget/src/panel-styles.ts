// The look of everything that the panel draws. The host can set colours and shape by custom properties, and everything by ::part().
// Lines (`--_line`) and secondary text (`--_quiet`) are mixed from the page's own text colour, so that they suit any page.
// Secondary text inside secondary text inherits its colour: if it were mixed twice, it would be too faint.

export const LOOKS = `
:host {
  --_line: color-mix(in srgb, currentColor 20%, transparent);
  --_quiet: color-mix(in srgb, currentColor 76%, transparent);
  --_accent: var(--hitchpost-accent, light-dark(#1d4ed8, #93c5fd));
  --_good: var(--hitchpost-good, light-dark(#0f7a4a, #6fd3a0));
  --_warn: var(--hitchpost-warn, light-dark(#8a4b00, #ffc76b));
  --_bad: var(--hitchpost-bad, light-dark(#b3261e, #ff9d94));
  max-inline-size: 100%;
  min-inline-size: min(15rem, 100%);
  vertical-align: top;
  line-height: 1.4;
  text-align: start;
  overflow-wrap: anywhere;
}
[part=box] { display: flex; flex-flow: row wrap; align-items: center; gap: .5em .75em; }
/* The status is a live region: screen readers announce no change of one that was not displayed before. */
[hidden], ul:empty, div:empty:not([part=status]) { display: none !important; }
button { cursor: pointer; }
button:focus-visible { outline: 2px solid var(--_accent); outline-offset: 2px; }
:disabled { cursor: not-allowed; opacity: .6; }

[part=button] { display: inline-flex; align-items: center; gap: .6em; min-block-size: 2.75em; font-weight: 600; line-height: 1.2; text-align: start; }
[part=button]:hover:not(:disabled) { filter: brightness(1.08); }
[part=logo] { flex: none; inline-size: 1.5em; block-size: 1.5em; object-fit: contain; border-radius: .3em; background: #fff; }
[aria-busy=true], [data-quiet] { color: inherit; background: none; border-color: var(--_line); }
[aria-busy=true] [part=logo] { display: none; }
[aria-busy=true]::before {
  content: ""; flex: none; inline-size: 1em; block-size: 1em; margin: 0 .25em; box-sizing: border-box; border: 2px solid; border-block-start-color: transparent;
  border-radius: 50%; animation: turn .9s linear infinite; forced-color-adjust: none;
}
@keyframes turn { to { transform: rotate(1turn); } }
@media (prefers-reduced-motion: reduce) { [aria-busy=true]::before { animation: none; } }

/* These take their width from the other parts, so that a longer text never widens the element. */
[part=accounts], [part=status], [part=code] { inline-size: 0; min-inline-size: 100%; box-sizing: border-box; }
[data-card] > [part=status] { order: -1; }
[data-card] > [part=accounts] { order: -2; }
[data-wide-actions] > [part=actions] { inline-size: 0; min-inline-size: 100%; }
[part=status] { white-space: pre-line; color: var(--_quiet); }
[part=status][data-bad] { color: inherit; border-inline-start: 3px solid var(--_bad); padding-inline-start: .7em; }
[part=status]:is(:empty, [data-visually-hidden]) { position: absolute; inline-size: 1px; min-inline-size: 0; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
[part=actions] { display: flex; flex-wrap: wrap; gap: .25em 1em; }
/* Buttons that look like links. */
[part=action], [data-text] {
  padding: .25em 0; min-block-size: 1.75em; border: 0; background: none; color: var(--_accent); font: inherit; font-weight: 600;
  text-align: start; text-decoration: underline transparent; text-underline-offset: .2em;
}
[part=action]:hover { text-decoration-color: currentColor; }
[part=action][data-quiet] { color: var(--_quiet); font-weight: 500; }
[part=action][data-bad] { color: var(--_bad); }
[part=code] [part=action] { color: inherit; }

/* The card of connected accounts. */
:host([data-card]) { min-inline-size: min(20rem, 100%); }
[data-card] { border: 1px solid var(--_line); border-radius: var(--hitchpost-radius, .5em); padding: .75em .9em; }
:host([state=needs-reconnect]) [data-card] { border-color: var(--_warn); background: color-mix(in srgb, var(--_warn) 7%, transparent); }
[part=accounts] { display: grid; gap: .75em; margin: 0; padding: 0; list-style: none; }
[part=account] { display: grid; gap: .35em; }
[part=account] + [part=account] { border-block-start: 1px solid var(--_line); padding-block-start: .75em; }
[part=head] { display: flex; align-items: center; gap: .7em; }
[part=head] [part=logo] { inline-size: 2.25em; block-size: 2.25em; border: 1px solid var(--_line); padding: .2em; box-sizing: border-box; }
[part=who] { flex: 1; min-inline-size: 0; }
[part=who] > span { display: block; }
[part=title] { display: flex; flex-wrap: wrap; align-items: center; justify-content: space-between; gap: .2em .7em; margin-bottom: .15em; font-weight: 600; }
[part=who] > span, [part=reason], [part=code] { color: var(--_quiet); font-size: .925em; }
[part=reason] { margin: 0; }
[part=tag] { flex: 0 1 auto; overflow-wrap: anywhere; font-size: .85em; font-weight: 600; padding: .15em .65em; border: 1px solid var(--_line); border-radius: 99em; color: var(--_quiet); }
[part=tag][data-state=connected] { color: var(--_good); border-color: currentColor; }
[part=tag][data-state=connected]::before { content: "\\2713\\a0" / ""; }
[part=tag][data-state=needs_reconnect] { color: var(--_warn); border-color: currentColor; }
[part=tag][data-state=needs_reconnect]::before { content: "!\\a0" / ""; }

/* A row of <hitchpost-connections>: everything in one line, if it fits. */
:host([layout=row]) { min-inline-size: 0; container-type: inline-size; }
:host([layout=row]) [part=box] { border: 0; padding: 0; background: none; justify-content: flex-end; }
:host([layout=row]) [part=accounts] { flex: 1 1 16rem; inline-size: auto; min-inline-size: min(16rem, 100%); }
:host([layout=row][state=idle]) [part=button] { color: var(--_accent); background: none; border-color: var(--_line); }
:host([layout=row]) [part=button]:not([data-text]) { min-block-size: 2.5em; padding-block: .3em; }
@container (inline-size > 32rem) {
  :host([layout=row]) [part=who] { display: grid; grid-template-columns: 1fr auto; gap: 0 .7em; }
  :host([layout=row]) [part=title] { display: contents; }
  :host([layout=row]) [part=tag] { grid-area: 1 / 2 / span 3; align-self: center; }
}

[part=code] { display: flex; flex-wrap: wrap; align-items: center; gap: .25em .6em; }
code { font: 600 1em ui-monospace, monospace; white-space: nowrap; border: 1px solid var(--_line); border-radius: .35em; padding: .1em .45em; user-select: all; }
`;

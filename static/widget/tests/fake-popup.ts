// A popup that the widget opened. The test posts what the pages in it would post.
import { BFF_ORIGIN } from "./fake-bff.js";

export class FakePopup {
  static opened: FakePopup[] = [];
  /** Set to make the browser block popups. */
  static refuse = false;

  closed = false;
  focused = 0;
  readonly posted: { data: { type: string; token: string }; target: string }[] = [];

  constructor(
    readonly url: string,
    readonly name: string,
  ) {}

  /** Stands in for `window.open`. */
  static readonly open = (url: string, name: string): FakePopup | null => {
    if (FakePopup.refuse) return null;
    const popup = new FakePopup(url, name);
    FakePopup.opened.push(popup);
    return popup;
  };

  static get last(): FakePopup {
    const popup = FakePopup.opened.at(-1);
    if (!popup) throw new Error("nothing was opened");
    return popup;
  }

  /** Posts a message to the opener, as a page in this popup would. */
  say(data: unknown, origin: string = BFF_ORIGIN, source: unknown = this): void {
    const event = new Event("message");
    Object.assign(event, { data, origin, source, isTrusted: true });
    dispatchEvent(event);
  }

  ready(): void {
    this.say({ type: "hitchpost.ready" });
  }

  postMessage(data: { type: string; token: string }, target: string): void {
    this.posted.push({ data, target });
  }

  close(): void {
    this.closed = true;
  }

  focus(): void {
    this.focused++;
  }
}

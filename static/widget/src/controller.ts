// The flow behind each button: pressed, steered in trouble, begun anew until it ends.
import { accept } from "./bff.js";
import { connect, type Begun, type Tell } from "./connect.js";
import { ConnectError } from "./errors.js";
import { tellEnd, tellStep, type ConnectRequest } from "./flow.js";
import { later } from "./later.js";
import { openPopup, type Popup } from "./popup.js";
import { flowOf, flows, ownerOf, type Flow } from "./registry.js";
import { isOurs, readRequest } from "./request.js";
import type { Choice, ConnectResult, Step } from "./types.js";

/** The longest time that a timer can take (milliseconds). */
const FOREVER = 2_147_483_647;

/** Steps that offer the user a choice. */
export const inTrouble = (step: Step): boolean => /unsure|blocked|cut|interr|loading/.test(step);

/**
 * The button was pressed, or something chosen: in the flow that runs, or `about` an attempt that has ended, or about a
 * connection. Call it inside the click.
 */
export function press(button: Element, choice?: Choice, about = ""): void {
  const flow = flowOf(button);
  if (flow) {
    flow.steer(choice);
    return;
  }
  const request = readRequest(button);
  if (choice === "reconnect") request.connection = about;
  void run(button, request, choice === "use_account" ? accept(about) : undefined); // Events tell how it ends.
}

/**
 * Runs a flow to its end. Call it inside a click, with nothing awaited before.
 *
 * @param owner - the button that is told by events, or the document. Without any, another page of this tab began it:
 *   then it may be another user's, or purged. Until the BFF says that it is neither, nobody hears of it
 * @param request - what is asked for
 * @param begun - the attempt, when it was begun already
 */
export function run(owner: Node | undefined, request: ConnectRequest, begun?: Begun | Promise<Begun>): Promise<ConnectResult> {
  // Called soon after the click still: where the browser takes it for none, the window is blocked, which is told.
  const refused = (): void => { steer("open_again"); };
  let popup = begun ? openPopup() : later.open(request, refused);
  let next: Popup | undefined;
  let resumed = !owner;

  const tell: Tell = (step, attempt) => {
    if (attempt && step === "launched") {
      if (flow.attempt) later.forget(flow.attempt); // It was begun anew.
      later.remember((flow.attempt = attempt), flow.request);
    }
    flow.step = step;
    tellStep(flow.request, ownerOf(flow), step, attempt);
  };

  const steer = (choice?: Choice): void => {
    if (!choice && (next ?? !(resumed || popup.shown?.closed || (flow.step && inTrouble(flow.step))))) {
      (next ?? popup).shown?.focus(); // Where the browser lets us.
      return;
    }
    tell("finishing", flow.attempt); // At once, so that nobody chooses twice: what runs may still wait for an answer.
    if (choice !== "cancel") {
      // By now the page may ask for another language, say.
      const now = ownerOf(flow);
      flow.request = { ...flow.request, ...(now instanceof Element && readRequest(now)), connection: flow.request.connection };
      if (choice) flow.request.delivery = choice === "continue_here" ? "return" : undefined;
      next = later.open(flow.request, refused);
    }
    // What runs is given up first: should it have ended well meanwhile, that is the outcome.
    popup.nudge("cancel");
  };

  const toEnd = async (): Promise<ConnectResult> => {
    for (;;) {
      try {
        if (popup.shown !== null || !isOurs(ownerOf(flow))) return await connect(flow.request.signal, tell, popup, () => later.take(flow.request), begun);
        popup.tidy();
        tell("popup_blocked");
        await popup.news(FOREVER); // It is disposed of: only a choice can nudge it.
        throw new ConnectError("cancelled");
      } catch (error) {
        // Who is signed out may sign in again, and is told then.
        if ((error as ConnectError).code === "not_signed_in") flow.attempt = undefined;
        if (!next) throw error;
        popup = next;
        next = begun = undefined;
        resumed = false;
      } finally {
        if (flow.attempt) later.forget(flow.attempt);
      }
    }
  };

  const flow: Flow = { request, owner, attempt: (begun as Begun | undefined)?.id, steer };
  flows.add(flow);
  if (begun && !resumed) tell("finishing");
  const ending = toEnd().finally(() => {
    next?.tidy();
    flows.delete(flow); // Before anybody is told: a page may draw its buttons anew then.
  });
  // Of a flow that is resumed nobody hears, unless something was told of it: then the BFF knew it, or the user pressed.
  return tellEnd(ending, () => (!resumed || !!flow.step) && ownerOf(flow));
}

// Runs the flow of each button, and handles the user's choices in it.
import { accept } from "./bff.js";
import { connect, type StartedAttempt, type Tell } from "./connect.js";
import { ConnectError } from "./errors.js";
import { reportEnd, reportStep, type ConnectRequest } from "./flow.js";
import { hooks } from "./hooks.js";
import { openPopup, type Popup } from "./popup.js";
import { flowOf, flows, ownerOf, type Flow } from "./registry.js";
import { isOurs, readRequest } from "./request.js";
import type { Choice, ConnectResult, Step } from "./types.js";

/** The longest time that a timer can take (milliseconds). */
const FOREVER = 2_147_483_647;

/** Steps that offer the user a choice. */
export const inTrouble = (step: Step): boolean => /unsure|blocked|cut|interr|loading/.test(step);

/**
 * Handles a press of the button, or a choice. Call it inside the click.
 *
 * @param about - id of the attempt (`use_account`) or of the connection (`reconnect`) that was chosen
 */
export function press(button: Element, choice?: Choice, about = ""): void {
  const flow = flowOf(button);
  if (flow) {
    flow.choose(choice);
    return;
  }
  const request = readRequest(button);
  if (choice === "reconnect") request.connection = about;
  void run(button, request, choice === "use_account" ? accept(about) : undefined); // Events report its end.
}

/**
 * Runs a flow to its end. Call it inside a click, with nothing awaited before.
 *
 * @param owner - the button that gets the events, or the document. Undefined for a flow that another page of this tab
 *   began: it may be another user's, or deleted, so no event is fired until the BFF has confirmed it
 * @param request - what is asked for
 * @param begun - an attempt to go on with, in place of a new one
 */
export function run(owner: Node | undefined, request: ConnectRequest, begun?: StartedAttempt | Promise<StartedAttempt>): Promise<ConnectResult> {
  // For a page whose policy keeps this tab from leaving, which shows shortly after the click: opens a popup
  // instead. If the browser no longer allows one then, the flow reports `popup_blocked`.
  const refused = (): void => { choose("open_again"); };
  let popup = begun ? openPopup() : hooks.open(request, refused);
  let next: Popup | undefined;
  let resumed = !owner;

  const tell: Tell = (step, attempt) => {
    if (attempt && step === "launched") {
      if (flow.attempt) hooks.forget(flow.attempt); // Another attempt replaces it.
      hooks.remember((flow.attempt = attempt), flow.request);
    }
    flow.step = step;
    reportStep(flow.request, ownerOf(flow), step, attempt);
  };

  const choose = (choice?: Choice): void => {
    // A press while nothing is wrong brings the window to the front.
    if (!choice && (next ?? !(resumed || popup.shown?.closed || (flow.step && inTrouble(flow.step))))) {
      (next ?? popup).shown?.focus(); // Browsers may ignore it.
      return;
    }
    tell("finishing", flow.attempt); // At once, so that the user does not choose twice while the cancel call runs.
    if (choice !== "cancel") {
      // The page's attributes may have changed meanwhile.
      const now = ownerOf(flow);
      flow.request = { ...flow.request, ...(now instanceof Element && readRequest(now)), connection: flow.request.connection };
      if (choice) flow.request.delivery = choice === "continue_here" ? "return" : undefined;
      next = hooks.open(flow.request, refused);
    }
    // The running attempt is cancelled first. If it turns out to be connected, that is the outcome.
    popup.queueSignal("cancel");
  };

  const runToEnd = async (): Promise<ConnectResult> => {
    for (;;) {
      try {
        if (popup.shown !== null || !isOurs(ownerOf(flow))) return await connect(flow.request.signal, tell, popup, () => hooks.take(flow.request), begun);
        popup.cleanUp();
        tell("popup_blocked");
        await popup.nextSignal(FOREVER); // The popup is cleaned up: only a choice adds a signal.
        throw new ConnectError("cancelled");
      } catch (error) {
        // After a sign-out the attempt stays remembered: the user may sign in again, and then sees its end.
        if ((error as ConnectError).code === "not_signed_in") flow.attempt = undefined;
        if (!next) throw error;
        popup = next;
        next = begun = undefined;
        resumed = false;
      } finally {
        if (flow.attempt) hooks.forget(flow.attempt);
      }
    }
  };

  const flow: Flow = { request, owner, attempt: (begun as StartedAttempt | undefined)?.id, choose };
  flows.add(flow);
  if (begun && !resumed) tell("finishing");
  const ending = runToEnd().finally(() => {
    next?.cleanUp();
    flows.delete(flow); // Before the events: a page may draw its buttons again in them.
  });
  // A resumed flow fires events only if a step was reported: then the BFF has confirmed it, or the user pressed.
  return reportEnd(ending, () => (!resumed || !!flow.step) && ownerOf(flow));
}

// Runs the flow of each button, and handles the user's choices in it.
import { runSignIn, type ReportStep, type StartedAttempt } from "./sign-in.js";
import { ConnectError } from "./errors.js";
import { redraw } from "./config.js";
import { reportEnd, reportStep } from "./report.js";
import { hooks } from "./hooks.js";
import type { SignInWindow } from "./popup.js";
import { adoptFlow, flows, resolveOwner, type Flow } from "./registry.js";
import { isWidgetElement, readRequest } from "./request.js";
import { userEpoch } from "./session.js";
import type { Choice, ConnectRequest, ConnectResult, Step } from "./types.js";

/** Whether an element offers a choice at this step: open again, continue in this tab, or cancel. */
export const offersChoice = (step: Step): boolean => /unsure|popup_blocked|cut_off|interrupted|not_loading/.test(step);

/** Handles a press of the button, or a choice of the user in its flow. Call it inside the click. */
export function press(button: Element, choice?: Choice): void {
  const flow = adoptFlow(button);
  if (flow) flow.choose(choice);
  else void run(button, readRequest(button)); // Events report its end.
}

/**
 * Runs a flow to its end. Call it inside a click, with nothing awaited before.
 *
 * @param owner - the button that gets the events, or the document. Undefined for a flow that another page of this tab
 *   began: it may be another user's, or deleted, so no event is fired until the BFF has confirmed it
 * @param request - what is asked for
 * @param existing - an attempt to go on with, in place of a new one
 */
export function run(owner: Node | undefined, request: ConnectRequest, existing?: StartedAttempt | Promise<StartedAttempt>): Promise<ConnectResult> {
  // Called shortly after the click, if the page's CSP (form-action) has blocked the form that takes this tab to the sign-in.
  const onFormBlocked = (): void => { choose("open_again"); };
  // `next`: opened by a choice. It replaces `popup` when the running attempt has been cancelled.
  let next: SignInWindow | undefined, popup = hooks.openSignIn(request, onFormBlocked, existing);
  // `isOfPreviousUser`: another user has signed in since, who cannot read the attempt and is not told of it. `cancelled`: by the last choice.
  let isOfPreviousUser = false, cancelled = false;
  const epoch = userEpoch;

  const report: ReportStep = (step, attempt) => {
    if (attempt && step === "launched") {
      if (flow.attempt) hooks.deleteAttempt(flow.attempt); // Another attempt replaces it.
      hooks.storeAttempt((flow.attempt = attempt), flow.request);
    }
    reportStep(flow.request, resolveOwner(flow), (flow.step = step), attempt);
  };

  const choose = (choice?: Choice): void => {
    // A press begins again if the flow was resumed and has no popup, its popup is closed, or its step offers a choice.
    // Otherwise it only brings the popup to the front: the one that a choice has just opened, else the running one.
    const running = next ?? ((existing && !owner) || popup.windowProxy?.closed || (flow.step && offersChoice(flow.step)) ? undefined : popup);
    if (!choice && running) {
      running.windowProxy?.focus(); // Browsers may ignore it.
      return;
    }
    report("finishing", flow.attempt); // At once, so that the user does not choose twice while the cancel call runs.
    next?.cleanUp(); // Of an earlier choice, whose cancel call still runs.
    next = undefined;
    if (!(cancelled = choice === "cancel")) {
      const button = resolveOwner(flow); // Its attributes may have changed since the press.
      flow.request = { ...flow.request, ...(button instanceof Element && readRequest(button)), connection: flow.request.connection };
      if (choice) flow.request.delivery = choice === "continue_here" ? "return" : undefined;
      next = hooks.openSignIn(flow.request, onFormBlocked);
    }
    popup.queueSignal("cancel"); // If the running attempt turns out to be connected instead, that is the outcome.
  };

  const runToEnd = async (): Promise<ConnectResult> => {
    for (;;) {
      try {
        // If the popup was blocked, an element offers a choice. For any other owner `connect` throws `popup_blocked`.
        if (popup.windowProxy !== null || !isWidgetElement(resolveOwner(flow))) return await runSignIn(flow.request.signal, report, popup, () => hooks.takeAttempt(flow.request), existing);
        popup.cleanUp();
        report("popup_blocked");
        while ((await popup.nextSignal()) !== "cancel"); // Waits for a choice, which queues `cancel`; other signals are left-overs.
        throw new ConnectError("cancelled"); // Ignored if the choice has opened another popup.
      } catch (error) {
        // After `not_signed_in` and `network` the attempt stays stored: it may have connected already, or goes on in a popup that
        // cannot be closed from here. The flow is resumed once the user has signed in again, or the BFF answers.
        // Not if the user or the page has cancelled it.
        // Only these two codes begin with an n.
        // eslint-disable-next-line @typescript-eslint/prefer-string-starts-ends-with -- `startsWith` costs five bytes more
        if ((error as ConnectError).code[0] === "n" && !cancelled && !flow.request.signal?.aborted) flow.attempt = undefined;
        if (!next) {
          // `invalid_request` is also the code that pages get for a 404, which another user's attempt gives.
          isOfPreviousUser = epoch !== userEpoch && (error as ConnectError).code === "invalid_request";
          throw error;
        }
        popup = next;
        next = existing = undefined;
      } finally {
        if (flow.attempt) hooks.deleteAttempt(flow.attempt);
      }
    }
  };

  const flow: Flow = { request, owner, attempt: (existing as StartedAttempt | undefined)?.id, choose, wake: () => { popup.queueSignal("focus"); } }; // No id if `existing` is a promise.
  flows.add(flow);
  if (existing && owner) report("finishing");
  const ending = runToEnd().finally(() => {
    next?.cleanUp();
    if (isOfPreviousUser) redraw(); // In microtasks, when the flow is gone: its button then shows no step.
    flows.delete(flow); // Before the events: their listeners may redraw the page's buttons.
  });
  // A resumed flow fires events only after it has reported a step: the BFF has then confirmed it, or the user has pressed.
  return reportEnd(ending, () => (isOfPreviousUser || (existing && !owner && !flow.step) ? undefined : resolveOwner(flow)));
}

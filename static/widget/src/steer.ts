// The flow behind each button: pressed, steered in trouble, begun anew until it ends.
import { connect, requestOf } from "./connect.js";
import { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openFor, tellEnd, teller, type Wish } from "./flow.js";
import { openPopup, type Popup } from "./popup.js";
import { prepare, take } from "./prepare.js";
import type { Choice, ConnectResult, Step } from "./types.js";

interface Steering {
  choose: (choice: Choice) => void;
  press: () => void;
}

const running = new WeakMap<EventTarget, Steering>();

/** The button was pressed: starts its flow, or turns to the one that runs. Call it inside the click. */
export function press(button: EventTarget, wish: Wish, canChoose = false): void {
  const flow = running.get(button);
  if (flow) flow.press();
  else run(button, wish, canChoose);
}

/** Does what the user chose, in the flow of this button. Call it inside the click. */
export function choose(button: EventTarget, choice: Choice): void {
  running.get(button)?.choose(choice);
}

/** The user seems about to press: makes the attempt already. */
export function expect(button: EventTarget, wish: Wish): void {
  if (running.has(button)) return;
  prepare(requestOf(wish), (attempt) => { fire(button, "step", { step: "prepared", attempt }); });
}

/**
 * Runs the flow of a button; how it ends is told by events alone. `canChoose`: somebody shows the user what to choose
 * in trouble. `id`: another page of this tab began the attempt.
 */
export function run(button: EventTarget, wish: Wish, canChoose = false, id?: string): void {
  const told = teller(button, wish);
  let popup = id ? openPopup() : openFor(wish);
  let next: [Wish, Popup] | undefined;
  let inTrouble = false;
  let chosen: (() => void) | undefined;

  const tell = (step: Step, attempt?: string): void => {
    inTrouble = step === "unsure" || step === "popup_blocked";
    told(step, attempt);
  };

  const choose = (choice: Choice): void => {
    inTrouble = false;
    if (choice !== "cancel") {
      const other: Wish = { ...wish, delivery: choice === "here" ? "return" : undefined };
      next = [other, openFor(other)];
    }
    // What runs is given up first: should it have ended well meanwhile, that is the outcome.
    popup.push("cancel");
    chosen?.();
  };

  const blocked = async (): Promise<never> => {
    tell("popup_blocked");
    await new Promise<void>((resolve) => (chosen = resolve));
    throw new ConnectError("cancelled");
  };

  const toEnd = async (): Promise<ConnectResult> => {
    for (;;) {
      try {
        if (popup.blocked && canChoose) await blocked();
        return await connect({ ...wish, tell, begin: take }, popup, id);
      } catch (error) {
        popup.dispose();
        if (!next || (error as ConnectError).code !== "cancelled") throw error;
        [wish, popup] = next;
        next = id = undefined;
      }
    }
  };

  const done = (): void => {
    next?.[1].dispose();
    running.delete(button);
  };
  running.set(button, { choose, press: () => { if (inTrouble) choose("again"); else popup.focus(); } });
  tellEnd(button, toEnd()).then(done, done);
}

// The flow behind each button: pressed, steered in trouble, begun anew until it ends.
import { accept } from "./bff.js";
import { connect, requestOf, type Begun, type Tell } from "./connect.js";
import { ConnectError } from "./errors.js";
import { fire } from "./events.js";
import { openFor, tellEnd, type Wish } from "./flow.js";
import { load } from "./labels.js";
import { openPopup, type Popup } from "./popup.js";
import { prepare, take } from "./prepare.js";
import type { Choice, ConnectResult } from "./types.js";
import { isOurs, wishOf } from "./wish.js";

/** What the user does to a flow that runs; undefined is a press of the button itself. */
type Steer = (choice?: Choice) => void;

/** The longest time that a timer can take (milliseconds). */
const FOREVER = 2_147_483_647;

const running = new WeakMap<Node, Steer>();

/**
 * The button was pressed, or something chosen: in the flow that runs, or after `attempt` has ended.
 * Call it inside the click.
 */
export function press(button: Element, choice?: Choice, attempt = ""): void {
  const steer = running.get(button);
  if (steer) steer(choice);
  else void run(button, wishOf(button), choice === "use_account" ? accept(attempt) : undefined); // Events tell how it ends.
}

/**
 * The user seems about to press: makes the attempt already. With the button of a mouse down it is a press; a finger's
 * `mousedown` comes only when it has scrolled nothing, and the click with it.
 */
export function expect(button: Element, { detail, button: which }: MouseEvent): void {
  if (running.has(button)) return;
  const wish = wishOf(button);
  void load(wish); // A page without our element has not asked for the words and the delivery yet.
  // Of the events that bring us here only `mousedown` counts its clicks.
  void prepare(requestOf(wish), (attempt) => { fire(button, "step", { step: "prepared", attempt }); }, detail > 0 && !which);
}

/**
 * Runs the flow of a button, or of the document when none stands for it, and tells it by events. Call it inside a
 * click, with nothing awaited before. `begun`: the attempt was begun already, by another page of this tab, say.
 */
export function run(button: Node, wish: Wish, begun?: Begun | Promise<Begun>): Promise<ConnectResult> {
  let popup = begun ? openPopup() : openFor(wish);
  let next: Popup | undefined;
  let inTrouble = false;

  const tell: Tell = (step, attempt) => {
    inTrouble = /unsure|blocked|cut|interr/.test(step);
    wish.onStep?.(step);
    fire(button, "step", { step, attempt });
  };

  const toEnd = async (): Promise<ConnectResult> => {
    for (;;) {
      try {
        if (!popup.blocked || !isOurs(button)) return await connect(wish, tell, popup, take, begun);
        popup.tidy();
        tell("popup_blocked");
        await popup.news(FOREVER); // It is disposed of: only a choice can nudge it.
        throw new ConnectError("cancelled");
      } catch (error) {
        // Called soon after the click still: where the browser takes it for none, the window is blocked, which is told.
        if (popup.refused) next ??= openFor((wish = { ...wish, delivery: undefined }));
        else if (!next || (error as ConnectError).code !== "cancelled") throw error;
        popup = next;
        next = begun = undefined;
      }
    }
  };

  running.set(button, (choice = inTrouble ? "open_again" : undefined) => {
    if (!choice) {
      popup.focus();
      return;
    }
    tell("finishing"); // At once, so that nobody chooses twice: what runs may still wait for an answer.
    if (choice !== "cancel") {
      wish = { ...wish, delivery: choice === "continue_here" ? "return" : undefined };
      next = openFor(wish);
    }
    // What runs is given up first: should it have ended well meanwhile, that is the outcome.
    popup.nudge("cancel");
  });

  const done = (): void => {
    next?.tidy();
    running.delete(button);
  };
  const ending = tellEnd(button, toEnd());
  ending.then(done, done);
  return ending;
}

// Continues the flows that an earlier page of this tab left. Loaded only where one is stored (storage.ts).
import { hearEarlierPopup } from "./earlier-popup.js";
import { noteConnectionOnFailure } from "./failures.js";
import type { ConnectError } from "./errors.js";
import type { Hooks } from "./hooks.js";
import type { Kit } from "./kit.js";
import type { Flow } from "./registry.js";
import { attemptsLeft } from "./storage.js";
import type { ConnectRequest, ConnectResult, Reading } from "./types.js";

/**
 * Age (milliseconds) from which a stored attempt is stale. It was left in a tab that was closed and restored later, or that had no
 * BFF for long: its flow continues only if it has connected.
 */
const STALE_AFTER = 3_600_000;

/** The flows that were resumed, and their endings. */
const endings = new WeakMap<Flow, Promise<ConnectResult>>();

/**
 * Ids of the attempts whose status is being read (stale ones), or which are being cancelled (begun again). Their flows go on only if they
 * have connected.
 */
const pending = new Set<string>();

/** Whether `extendHooks` has been called. */
let extended = false;

/** Continues each attempt that is left; cancels it if the user has begun again. */
export function install(kit: Kit): void {
  const { callBff, flows, hooks, run } = kit;
  if (!extended) extendHooks(kit);
  extended = true;
  for (const [id, [connector = "", message, connection, time]] of attemptsLeft(kit)) {
    if (pending.has(id)) continue;
    const request = { connector, message: textOf(message), connection: textOf(connection) };
    const goOn = (): void => {
      const ending = run(undefined, request, { id });
      for (const flow of flows) if (flow.attempt === id) endings.set(flow, ending);
      noteConnectionOnFailure(ending, request.connection);
    };
    const cancels = isBegunAgain(kit, request);
    if (!cancels && (!time || Date.now() - +time < STALE_AFTER)) {
      goOn();
      continue;
    }
    pending.add(id);
    callBff<Reading>(`attempts/${id}${cancels ? "/cancel" : ""}`, cancels ? {} : undefined).then(
      ({ status }) => {
        if (status === "connected") goOn();
        else hooks.deleteAttempt(id);
      },
      // Without an answer, or a user, it stays for the next time. Any other error: it is another user's, or deleted.
      (error: unknown) => { if ((error as ConnectError).code === "invalid_request") hooks.deleteAttempt(id); },
    ).finally(() => pending.delete(id));
  }
}

/** Extends the hooks for the flows that go on. */
function extendHooks({ flows, hooks }: Kit): void {
  const { openSignIn } = hooks;
  const extensions: Pick<Hooks, "openSignIn" | "joinFlow"> = {
    openSignIn(request, onFormBlocked, existing) {
      const handle = openSignIn(request, onFormBlocked, existing);
      return existing ? hearEarlierPopup(handle) : handle;
    },
    // A call of `connect` does what a press of a button would. A second flow would leave the first one to expire, and to tell so when the
    // user has long connected.
    joinFlow(request) {
      const flow = [...flows].find((each) => endings.has(each) && isSame(each.request, request) && !each.owner?.isConnected);
      const { signal } = request;
      // If a button shows the flow, or can, the user goes on with it or cancels it there, and this call begins a flow of its own.
      if (!flow || signal?.aborted || hooks.findReplacement(request, [], undefined)) return undefined;
      Object.assign(flow, { request, owner: document });
      // The running sign-in, if there is one, listens to the signal of an earlier call.
      signal?.addEventListener("abort", () => { if (flows.has(flow)) flow.choose("cancel"); });
      flow.choose();
      return endings.get(flow);
    },
  };
  Object.assign(hooks, extensions);
}

const textOf = (stored: string | undefined): string | undefined => (stored === "" ? undefined : stored);

const isSame = (one: ConnectRequest, other: ConnectRequest): boolean => one.connector === other.connector && one.connection === other.connection;

/**
 * Whether the user has begun this sign-in again on this page, and no other button is free to show the stored attempt. The button of the
 * new flow would show both, and its choices would act on the new one.
 */
function isBegunAgain({ flows, hooks }: Kit, request: ConnectRequest): boolean {
  const owners = [...flows].map(({ owner }) => owner);
  const button = hooks.findReplacement(request, owners, undefined);
  return (!button || owners.includes(button)) && [...flows].some((flow) => !endings.has(flow) && isSame(flow.request, request));
}

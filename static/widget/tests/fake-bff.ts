// A BFF in memory. It answers as the contract says, and records the calls.
import { FakeConnections } from "./fake-connections.js";
import { problem } from "./problem.js";
export { problem };

const ANSWERS = { connected: null, declined: "declined", failed: "failed", cancelled: "cancelled", expired: "expired" } as const;

export type Final = keyof typeof ANSWERS;

export interface Call {
  method: string;
  path: string;
  query: string;
  headers: Record<string, string>;
  credentials: RequestCredentials | undefined;
  body: Record<string, unknown> | undefined;
}

/** The texts of the configuration, by key. */
export const WORDS = {
  lang: "en",
  dir: "ltr",
  button: "Connect",
  "crm button": "Connect Acme CRM",
  connected: "Connected",
  open_again: "Open again",
  continue_here: "Continue in this tab",
  cancel: "Cancel",
  waiting: "Waiting",
  reconnect: "Reconnect",
  disconnect: "Disconnect",
  disconnect_ask: "Disconnect {account}?",
  disconnect_yes: "Yes, disconnect",
  keep: "Keep",
  add_another: "Add another",
  needs_reconnect: "Needs attention",
  support_code: "Support code",
  unsure: "Unsure?",
  use_account: "Use this account instead",
  try_again: "Try again",
};

/** Texts in other languages: those that tests check. */
export const SPOKEN: Record<string, Record<string, string>> = {
  de: { lang: "de", "crm button": "Mit Acme CRM verbinden", connected: "Verbunden" },
  ar: { lang: "ar", dir: "rtl", "crm button": "ربط Acme CRM", connected: "تم الربط" },
};

interface Row {
  id: string;
  status: "created" | "launched" | Final;
  connector: string;
  code: string | null;
}

export const BASE = "https://bff.example/prefix";
export const BFF_ORIGIN = "https://bff.example";
export const PARTNER_ORIGIN = "https://partner.example";

/** Its advice for a page whose Cross-Origin-Opener-Policy cuts off popups. */
const COOP = "set Cross-Origin-Opener-Policy to same-origin-allow-popups";

export class FakeBff {
  readonly calls: Call[] = [];
  readonly attempts = new Map<string, Row>();
  /** The account's connections. */
  readonly account = new FakeConnections();
  /** The attempt that each `Idempotency-Key` has begun. */
  readonly keys = new Map<string, string>();
  /** The launch tokens that `POST /v1/press` has received. */
  readonly pressed: (string | null)[] = [];
  /** If false, `POST /v1/press` fails. */
  hears = true;
  /** Answers of the host's session URL, in this order. The last one is repeated. */
  readonly sessions: Response[] = [];
  /** Tokens that are refused with 401. */
  readonly refused = new Set<string>();
  /** Called for the next calls, in place of an answer. They return another answer, or throw. */
  readonly troubles: (() => Response)[] = [];
  /** The status after a cancel call. Another one than `cancelled`: the sign-in had ended before. */
  endsOnCancel: Final = "cancelled";
  lifetime = 600_000;
  /** How far this BFF's clock is behind the browser's (milliseconds). */
  behind = 0;
  /** The errors of connectors that cannot be connected, by key. */
  unavailable: Record<string, { code: string; title: string; next_step: string }> = {};
  /** The states of the connectors, by key. */
  states: Record<string, string> = {};
  /** The default delivery in the configuration. */
  delivery: string | undefined;
  /** The status of the attempt that accepts the other account; undefined if it is too late. */
  acceptedStatus: Row["status"] | undefined = "connected";
  configured = true;
  /** Its advice for the page's developers. */
  advice: string | undefined;
  /** `origin_hidden` of new attempts. */
  hidden: string | undefined;
  /** Members that replace those of every answer about an attempt. */
  readonly says: Record<string, unknown> = {};
  /** Texts that replace `WORDS`, and the product's look. */
  words: Record<string, string> = {};
  style = "";

  /** The same signature as `fetch`. */
  readonly fetch = async (input: string, init: RequestInit = {}): Promise<Response> => {
    await Promise.resolve();
    const url = new URL(input, "https://host.example");
    const call: Call = {
      method: init.method ?? "GET",
      path: url.pathname,
      query: url.search,
      headers: (init.headers ?? {}) as Record<string, string>,
      credentials: init.credentials,
      body: typeof init.body === "string" ? (JSON.parse(init.body) as Record<string, unknown>) : undefined,
    };
    this.calls.push(call);
    if (url.origin !== BFF_ORIGIN) return this.#session();
    if (call.path === "/prefix/v1/press") return this.#press(init);
    const trouble = call.path.endsWith("/config") ? undefined : this.troubles.shift();
    if (trouble) return trouble();
    const bearer = call.headers.Authorization;
    if (bearer && this.refused.has(bearer.slice(7))) return problem(401, "not_signed_in", "You are signed out");
    return this.#answer(call);
  };

  /** The calls with this method and this end of the path. */
  asked(method: string, end: string): Call[] {
    return this.calls.filter((call) => call.method === method && call.path.endsWith(end));
  }

  /** The calls that read an attempt. */
  get reads(): Call[] {
    return this.calls.filter((call) => call.method === "GET" && call.path.includes("/attempts/"));
  }

  /** The newest attempt. */
  get last(): Row {
    const row = [...this.attempts.values()].at(-1);
    if (!row) throw new Error("no attempt was made");
    return row;
  }

  /** Ends an attempt, as if the partner service had reported it. */
  end(status: Final, row: Row = this.last): void {
    row.status = status;
    row.code = ANSWERS[status];
  }

  #press({ body }: RequestInit): Response {
    if (!this.hears) throw new TypeError("Failed to fetch");
    this.pressed.push((body as URLSearchParams).get("launch_token"));
    return new Response(null, { status: 204 });
  }

  #session(): Response {
    const [first] = this.sessions;
    if (!first) return new Response("", { status: 404 });
    return this.sessions.length > 1 ? (this.sessions.shift() ?? first) : first.clone();
  }

  #answer({ method, path, query, headers, body }: Call): Response {
    const [, , , , id = "", act] = path.split("/");
    if (path === "/prefix/v1/config") return this.configured ? this.#config(query) : new Response("no", { status: 502 });
    if (path.startsWith("/prefix/v1/connections")) return this.account.answer(method, id);
    if (method === "POST" && path === "/prefix/v1/attempts") return this.#begin(String(body?.connector), headers["Idempotency-Key"]);
    const row = this.attempts.get(id);
    if (!row) return problem(404, "not_found", "There is nothing here");
    if (act === "accept") return this.#accept(row);
    if (act === "cancel" && (row.status === "created" || row.status === "launched")) this.end(this.endsOnCancel, row);
    return Response.json(this.#told(row, headers["X-Hitchpost"]));
  }

  /** The attempt as it is answered. `unsent` is set if there is a plain message that no popup has posted. */
  #told(row: Row, hint?: string): Record<string, unknown> {
    const attempt = told(row);
    const { message, attributed } = this.says;
    const result = { ...(attempt.result as object), ...(message !== undefined && { message }), ...(attributed !== undefined && { attributed }) };
    const posted = hint === "message" || message !== `done ${row.id}`;
    const channel = /message|returned|trouble|closed|focus/.test(hint ?? "") ? hint : "poll";
    const step = hint === "trouble" ? "interrupted" : undefined;
    return { ...attempt, result: { ...result, channel }, step, advice: hint === "cut_off" ? COOP : undefined, unsent: posted ? null : { data: message, origin: PARTNER_ORIGIN }, ...this.says };
  }

  #config(query: string): Response {
    const locale = new URLSearchParams(query).get("locale") ?? "";
    const said = { ...WORDS, ...SPOKEN[locale], ...this.words };
    const connected = this.account.told();
    const keys = [...new Set([...Object.keys(this.states), ...Object.keys(connected)])];
    const connectors = keys.map((key) => ({ key, state: this.states[key], error: this.unavailable[key], ...connected[key] }));
    return Response.json({ connectors, words: said, style: this.style, theme: {}, delivery: this.delivery });
  }

  #accept({ connector }: Row): Response {
    if (!this.acceptedStatus) return problem(410, "expired", "Too late");
    const id = `at_${String(this.attempts.size + 1)}`;
    const row: Row = { id, status: this.acceptedStatus, connector, code: null };
    this.attempts.set(id, row);
    return Response.json(this.#told(row));
  }

  #begin(connector: string, key = ""): Response {
    if (connector === "unknown") return problem(422, "unknown_connector", "No such connector");
    const id = this.keys.get(key) ?? `at_${String(this.attempts.size + 1)}`;
    if (key) this.keys.set(key, id);
    if (!this.attempts.has(id)) this.attempts.set(id, { id, status: "created", connector, code: null });
    const expires_at = new Date(Date.now() - this.behind + this.lifetime).toISOString();
    return Response.json(
      {
        id,
        status: "created",
        launch_token: `lt_${id}`,
        partner_origin: PARTNER_ORIGIN,
        callback_message: `done ${id}`,
        expires_at,
        expires_in: this.lifetime / 1000,
        support_code: `SC-${id}`,
        advice: this.advice,
        origin_hidden: this.hidden,
      },
      { status: 201 },
    );
  }
}

function told({ id, status, connector, code }: Row): Record<string, unknown> {
  return {
    id,
    status,
    connector,
    message: `connected:${connector}`,
    connection: status === "connected" ? { id: "7", connector, external_account: "ada@crm" } : null,
    error: code && { code, title: `Title of ${code}`, next_step: `Next step of ${code}` },
    support_code: `SC-${id}`,
    attributed: status === "connected" ? true : null,
    receipt: null,
    unsent: null,
    result: {
      status,
      attempt: id,
      connector,
      connection: { id: "7", connector, external_account: "ada@crm" },
      message: `connected:${connector}`,
      attributed: true,
      receipt: null,
      supportCode: `SC-${id}`,
    },
    created_at: "2026-11-01T00:00:00+00:00",
    expires_at: "2026-11-01T00:15:00+00:00",
  };
}

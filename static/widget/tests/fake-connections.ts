// The connections of an account at the fake BFF, and the calls that end them.
import type { Connection, ConnectorStatus } from "../src/types.js";
import { problem } from "./problem.js";

export class FakeConnections {
  readonly all: Connection[] = [];
  /** The product's connectors by key: their members other than key, state and connections. */
  readonly offers: Record<string, Partial<ConnectorStatus>> = {};
  /** The ids of the connections that a call asked to end. */
  readonly asked: string[] = [];

  /** Adds a connection of this connector. `given` replaces members of it. */
  add(connector: string, given: Partial<Connection> = {}): Connection {
    const made: Connection = {
      id: String(36_001 + this.all.length),
      connector,
      name: "Acme CRM",
      state: "connected",
      external_account: "ada@crm.example",
      connected_at: "2030-01-02T09:00:00+00:00",
      connected_by: "ada",
      connected_by_name: "Ada",
      scopes: null,
      expires_at: null,
      reason: null,
      reason_text: null,
      extra: null,
      may_disconnect: true,
      ...given,
    };
    this.all.push(made);
    this.offers[connector] ??= {};
    return made;
  }

  /** The connectors as they are in the configuration. */
  told(): Record<string, Partial<ConnectorStatus>> {
    return Object.fromEntries(Object.keys(this.offers).map((key) => [key, this.#of(key)]));
  }

  #of(key: string): Partial<ConnectorStatus> {
    const connections = this.all.filter(({ connector }) => connector === key);
    return { state: connections[0]?.state ?? "disconnected", ...this.offers[key], connections };
  }

  /** Answers a call that lists the connections or ends one. */
  answer(method: string, id: string): Response {
    if (method === "GET") return Response.json({ connections: this.all });
    this.asked.push(id);
    const place = this.all.findIndex((each) => each.id === id);
    if (place < 0) return problem(404, "connection_not_found", "There is no such connection");
    this.all.splice(place, 1);
    return new Response(null, { status: 204 });
  }
}

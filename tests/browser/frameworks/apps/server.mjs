// One Express server for the pages of React, Vue, htmx and Turbo: node server.mjs PORT BFF SECRET_KEY BUNDLES
import express from "express";
import path from "node:path";

const [port, bff, secretKey, bundles] = process.argv.slice(2);
const modules = path.resolve(import.meta.dirname, "../../../../node_modules");
const app = express();

const page = (account, head, body) => `<!doctype html>
<html lang="en">
<head>
  <meta charset="utf-8">
  <title>Integrations</title>
  <link rel="icon" href="data:,">
  <script src="/heard.js"></script>
  <script src="${bff}/widget/v1/hitchpost.js" data-product="app" data-session-url="/session/${account}" defer></script>
  ${head}
</head>
<body>${body}</body>
</html>`;

const root = '<div id="root"></div>';
const connect = '<hitchpost-connect connector="sandbox"></hitchpost-connect>';
const fragment = (account) => `<div id="integration" hx-get="/htmx/${account}/fragment" hx-trigger="every 300ms" hx-swap="outerHTML">${connect}</div>`;
const htmxButton = (account) => `<button hx-get="/htmx/${account}/fragment" hx-target="#integration" hx-swap="outerHTML">Re-render</button>`;

const pages = {
  react: (account) => page(account, '<script src="/bundle/react.js" defer></script>', root),
  vue: (account) => page(account, '<script src="/bundle/vue.js" defer></script>', root),
  htmx: (account) =>
    page(account, '<script src="/modules/htmx.org/dist/htmx.js"></script>', `${htmxButton(account)}${fragment(account)}<p role="status"></p>`),
  turbo: (account) =>
    page(
      account,
      '<script src="/modules/@hotwired/turbo/dist/turbo.es2017-umd.js"></script>',
      `<button onclick="Turbo.visit(location.href, { action: 'replace' })">Re-render</button>${connect}<p role="status"></p>`,
    ),
};

app.use("/bundle", express.static(bundles));
app.use("/modules", express.static(modules));
app.get("/heard.js", (_request, response) => response.sendFile(path.resolve(import.meta.dirname, "heard.js")));
app.get("/session/:account", async (request, response) => {
  const answer = await fetch(`${bff}/v1/sessions`, {
    method: "POST",
    headers: { Authorization: `Bearer ${secretKey}`, "Content-Type": "application/json" },
    body: JSON.stringify({ user: { id: "ada", name: "Ada" }, account: { id: request.params.account, name: "Acme" } }),
  });
  response.status(answer.status).json(await answer.json());
});
app.get("/htmx/:account/fragment", ({ params }, response) => response.send(fragment(params.account)));
app.get("/:framework/:account", ({ params }, response) => response.send(pages[params.framework](params.account)));
app.listen(Number(port), "127.0.0.1", () => console.log("ready"));

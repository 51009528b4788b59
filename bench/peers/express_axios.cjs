// The same in Express with axios: one async handler. PARTNER is the service's URL, PORT where to listen.
"use strict";

const http = require("node:http");
const axios = require("axios");
const express = require("express");

const mint = `${process.env.PARTNER}/v1.0/accounts/acme/signintoken`;
const pages = "https://partner.example.com/connectorauth/updateaccountconnectoroauth";

const partner = axios.create({
  headers: { Authorization: `Bearer ${"a".repeat(64)}` },
  httpAgent: new http.Agent({ keepAlive: true }),
  timeout: 10000,
});
const app = express();

app.post("/connect/launch", async (request, response) => {
  const answer = await partner.post(mint, { Username: "ada" });
  response.redirect(303, `${pages}?id=1001&token=${answer.data.Token}`);
});

app.listen(Number(process.env.PORT), "127.0.0.1");

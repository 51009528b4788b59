"""The same in FastAPI with httpx: one async handler. ``PARTNER`` is the service's URL."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
from fastapi import FastAPI
from fastapi.responses import RedirectResponse

MINT = os.environ["PARTNER"] + "/v1.0/accounts/acme/signintoken"
PAGES = "https://partner.example.com/connectorauth/updateaccountconnectoroauth"

partner = httpx.AsyncClient(headers={"Authorization": "Bearer " + "a" * 64}, timeout=10)


@asynccontextmanager
async def _life(_: FastAPI) -> AsyncIterator[None]:
    async with partner:
        yield


app = FastAPI(lifespan=_life)


@app.post("/connect/launch")
async def launch() -> RedirectResponse:
    """Mint a sign-in token and send the browser on."""
    answer = await partner.post(MINT, json={"Username": "ada"})
    answer.raise_for_status()
    return RedirectResponse(f"{PAGES}?id=1001&token={answer.json()['Token']}", 303)

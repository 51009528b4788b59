// What the page heard, for the test that looks on, and the last outcome, for a person.
globalThis.heard = [];
for (const name of ["connected", "failed"]) {
  document.addEventListener(`hitchpost:${name}`, ({ detail }) => {
    heard.push(detail.status ?? detail.code);
    const status = document.querySelector("[role=status]");
    if (status) status.textContent = detail.status ?? detail.code;
  });
}

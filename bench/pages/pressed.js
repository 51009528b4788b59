// When the button was pressed, in milliseconds since the epoch; and the word of our widget that all is prepared.
globalThis.pressed = undefined;
globalThis.prepared = false;
addEventListener("pointerdown", ({ timeStamp }) => { globalThis.pressed = performance.timeOrigin + timeStamp; }, true);
addEventListener("hitchpost:step", ({ detail }) => { globalThis.prepared ||= detail.step === "prepared"; });

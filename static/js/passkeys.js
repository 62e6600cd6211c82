// What does a button for a passkey do? It asks the browser for one, and sends the answer with its form.
"use strict";

const TROUBLE = {
  InvalidStateError: "This device has a passkey for your account already.",
  SecurityError: "Passkeys need a host name in the address, such as localhost, and HTTPS everywhere else.",
};

async function usePasskey(button) {
  const options = JSON.parse(button.dataset.options);
  const trouble = document.getElementById(button.dataset.trouble);
  trouble.hidden = true;
  try {
    const made = button.dataset.passkey === "create"
      ? await navigator.credentials.create({ publicKey: PublicKeyCredential.parseCreationOptionsFromJSON(options) })
      : await navigator.credentials.get({ publicKey: PublicKeyCredential.parseRequestOptionsFromJSON(options) });
    document.getElementById(button.dataset.into).value = JSON.stringify(made.toJSON());
    button.form.submit();
  } catch (error) {
    trouble.querySelector("p").textContent = TROUBLE[error.name] ?? "No passkey was used. Try again, or choose another way.";
    trouble.hidden = false;
    trouble.focus();
  }
}

for (const button of document.querySelectorAll("[data-passkey]")) {
  // Browsers from before 2025 lack what turns our words into theirs.
  button.hidden = !window.PublicKeyCredential?.parseRequestOptionsFromJSON;
  button.addEventListener("click", () => usePasskey(button));
}

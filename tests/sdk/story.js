"use strict";
// The life of one user as Kii's own client lives it, in promise style or in callback style.
// Usage: node story.js promise|callback SITE APP_ID CONTROL
// Prints one JSON object: what each step showed. The test beside this file says what is right.

const http = require("http");
const kii = require("kii-cloud-sdk").create();

const [style, site, appId, control, clientId, clientSecret] = process.argv.slice(2);
const { Kii, KiiUser, KiiErrorParser } = kii;
const FIRST = "+819012345678";
const SECOND = "+819087654321";
const PASSWORD = "pass1234";
const shown = {};

// The client returns a rejecting promise even in callback style; nobody waits for that one there.
process.on("unhandledRejection", () => {});

/** Calls a client function in the style of this run; resolves with its result, rejects with its error string. */
function ask(verb) {
  if (style === "promise") return verb(undefined).catch((error) => Promise.reject(error.message));
  return new Promise((resolve, reject) => {
    verb({
      success: (...results) => resolve(results[0]),
      failure: (...reasons) => reject(reasons[reasons.length - 1]),
    });
  });
}

/** Expects a refusal; returns what Kii's error parser makes of it. */
async function refused(verb) {
  try {
    await ask(verb);
  } catch (reason) {
    const parsed = KiiErrorParser.parse(reason);
    return { status: parsed.status, code: parsed.code, hasMessage: Boolean(parsed.message), raw: String(reason) };
  }
  return { status: 0, code: "NOT_REFUSED" };
}

/** What the test around us knows and the client cannot: the code in the SMS, and the clock. */
function tell(path) {
  return new Promise((resolve, reject) => {
    http.get(control + path, (answer) => {
      let text = "";
      answer.on("data", (part) => (text += part));
      answer.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

function numbers(user) {
  return {
    number: user.getPhoneNumber() || null,
    verified: user.getPhoneVerified(),
    pending: user.getPendingPhoneNumber(),
  };
}

async function signUp() {
  const user = KiiUser.userWithPhoneNumberAndUsername(FIRST, "alice_01", PASSWORD);
  user.setDisplayName("Alice");
  user.setLocale("ja-JP");
  user.set("score", 1);
  await ask((callbacks) => user.register(callbacks));
  const current = KiiUser.getCurrentUser();
  await ask((callbacks) => current.refresh(callbacks));
  shown.signedUp = { ...numbers(current), name: current.getUsername(), score: current.get("score"), locale: current.getLocale() };
  return current;
}

async function proveTheFirstNumber(user) {
  shown.logInUnverified = await refused((callbacks) => KiiUser.authenticate(FIRST, PASSWORD, callbacks));
  await ask((callbacks) => KiiUser.authenticate("alice_01", PASSWORD, callbacks));
  user = KiiUser.getCurrentUser();
  const code = await tell(`/code/${user.getID()}`);
  const wrong = code === "000000" ? "000001" : "000000";
  shown.wrongCode = await refused((callbacks) => user.verifyPhoneNumber(wrong, callbacks));
  shown.percentCode = await refused((callbacks) => user.verifyPhoneNumber("100%", callbacks));
  shown.resendTooSoon = await refused((callbacks) => user.resendPhoneNumberVerification(callbacks));
  await tell("/advance/61");
  await ask((callbacks) => user.resendPhoneNumberVerification(callbacks));
  shown.resendKeepsTheCode = (await tell(`/code/${user.getID()}`)) === code;
  await tell("/advance/600");
  shown.lateCode = await refused((callbacks) => user.verifyPhoneNumber(code, callbacks));
  await ask((callbacks) => user.resendPhoneNumberVerification(callbacks));
  await ask(async (callbacks) => user.verifyPhoneNumber(await tell(`/code/${user.getID()}`), callbacks)).catch((reason) => {
    shown.unexpected = String(reason);
  });
  await ask((callbacks) => user.refresh(callbacks));
  shown.proven = numbers(user);
  shown.nothingToVerify = await refused((callbacks) => user.verifyPhoneNumber(code, callbacks));
  shown.nothingToResend = await refused((callbacks) => user.resendPhoneNumberVerification(callbacks));
  await ask((callbacks) => KiiUser.authenticate(FIRST, PASSWORD, callbacks));
  shown.loggedInByPhone = KiiUser.getCurrentUser().getID() === user.getID();
}

async function changeTheNumber() {
  const user = KiiUser.getCurrentUser();
  await ask((callbacks) => user.changePhone(SECOND, callbacks));
  await ask((callbacks) => user.refresh(callbacks));
  shown.changing = numbers(user);
  shown.logInPending = await refused((callbacks) => KiiUser.authenticate(SECOND, PASSWORD, callbacks));
  await ask((callbacks) => KiiUser.authenticate(FIRST, PASSWORD, callbacks));
  const again = KiiUser.getCurrentUser();
  const code = await tell(`/code/${again.getID()}`);
  await ask((callbacks) => again.verifyPhoneNumber(code, callbacks));
  await ask((callbacks) => again.refresh(callbacks));
  shown.changed = numbers(again);
  shown.logInOld = await refused((callbacks) => KiiUser.authenticate(FIRST, PASSWORD, callbacks));
  await ask((callbacks) => KiiUser.authenticate(SECOND, PASSWORD, callbacks));
}

async function findAndUpdate() {
  const user = KiiUser.getCurrentUser();
  const found = await ask((callbacks) => KiiUser.findUserByPhone(SECOND, callbacks));
  shown.foundByPhone = found.getID() === user.getID();
  shown.findOld = await refused((callbacks) => KiiUser.findUserByPhone(FIRST, callbacks));
  await ask((callbacks) => user.update(null, callbacks, { age: 3 }, ["score"]));
  await ask((callbacks) => user.refresh(callbacks));
  shown.updated = { age: user.get("age"), score: user.get("score") === undefined ? null : user.get("score"), ...numbers(user) };
  shown.changeToNonsense = await refused((callbacks) => user.changePhone("not a number", callbacks));
  shown.changeToClosedCountry = await refused((callbacks) => user.changePhone("+447400123456", callbacks));
}

async function meetTheOthers() {
  const bob = KiiUser.userWithPhoneNumberAndUsername("+818011112222", "alice_01", PASSWORD);
  shown.takenName = await refused((callbacks) => bob.register(callbacks));
  const phoneOnly = KiiUser.userWithPhoneNumber("+818011113333", PASSWORD);
  shown.phoneOnly = await refused((callbacks) => phoneOnly.register(callbacks));
  shown.wrongPassword = await refused((callbacks) => KiiUser.authenticate("alice_01", "wrong-password", callbacks));
}

async function endToEnd() {
  await ask((callbacks) => KiiUser.authenticate("alice_01", PASSWORD, callbacks));
  const user = KiiUser.getCurrentUser();
  shown.wrongOldPassword = await refused((callbacks) => user.updatePassword("wrong-password", "fresh1234", callbacks));
  await ask((callbacks) => user.updatePassword(PASSWORD, "fresh1234", callbacks));
  shown.deadToken = await refused((callbacks) => user.refresh(callbacks));
  await ask((callbacks) => KiiUser.authenticate("alice_01", "fresh1234", callbacks));
  const admin = await Kii.authenticateAsAppAdmin(clientId, clientSecret);
  // An administrator's find resolves to a pair: the context, and the user.
  const [, seen] = Array.from(await admin.findUserByUsername("alice_01"));
  shown.adminSees = seen.getPhoneNumber();
  await ask((callbacks) => KiiUser.getCurrentUser().delete(callbacks));
  shown.deleted = await refused((callbacks) => KiiUser.authenticate("alice_01", "fresh1234", callbacks));
}

async function main() {
  Kii.initializeWithSite(appId, "any-key", site);
  await proveTheFirstNumber(await signUp());
  await changeTheNumber();
  await findAndUpdate();
  await meetTheOthers();
  await endToEnd();
}

main().then(
  () => console.log(JSON.stringify(shown)),
  (reason) => {
    console.log(JSON.stringify({ ...shown, failed: reason && reason.stack ? reason.stack : String(reason) }));
    process.exitCode = 1;
  },
);

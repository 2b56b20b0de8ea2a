// The page: its controls, joined with a conversation. All that is told apart elsewhere comes together here.

import { Conversation } from "./conversation.js";
import { Replay, saveJson, saveText } from "./files.js";
import { Log } from "./log.js";
import { Picture, element } from "./picture.js";
import { endpoint } from "./protocol.js";
import { Listener, Speaker } from "./speech.js";

const LENGTHS = [500, 1000, 1500, 2000, 3000, 5000]; // milliseconds
const STORE = "edge-duplex";
const DRAFT_EVERY = 60; // milliseconds between drafts

const at = (id) => document.getElementById(id);
const entry = at("entry");

// --- what is remembered: settings from visit to visit, and for a reload which session this tab talks in

const settings = { aloud: false, voice: "", sliceMs: null, idleBias: null, ...tried(() => JSON.parse(localStorage.getItem(STORE))) };
const remember = () => tried(() => localStorage.setItem(STORE, JSON.stringify(settings)));
const keptToken = () => tried(() => sessionStorage.getItem(STORE));

/** Who has the token has the conversation: it is in this tab alone, as long as there is something to come back to. */
function keepToken(token) {
  tried(() => (token ? sessionStorage.setItem(STORE, token) : sessionStorage.removeItem(STORE)));
}

/** Null where it fails: a browser may have no storage, or something else in it. */
function tried(call) {
  try {
    return call();
  } catch {
    return null;
  }
}

// --- what is shown

const picture = new Picture({ list: at("slices"), frame: at("scroll"), details: at("details") });
const log = new Log({
  list: at("messages"),
  frame: at("messages-frame"),
  welcome: at("welcome"),
  live: at("live"),
  earlier: at("earlier"),
});
let frame = 0;

function show() {
  frame ||= requestAnimationFrame(() => {
    frame = 0;
    const timeline = replay.timeline ?? conversation.timeline;
    picture.show(timeline);
    log.show(timeline);
    at("model").textContent = timeline.model;
    at("stop").disabled = !conversation.speaking;
    showLength();
    showDial();
  });
}

function notice(text) {
  at("notice-text").textContent = text;
  at("notice").hidden = !text;
}

function showState(state, wait) {
  const texts = {
    connecting: "Connecting…",
    open: conversation?.paused ? "Connected, paused" : "Connected",
    waiting: `No connection; next attempt in ${Math.max(1, Math.round((wait ?? 0) / 1000))} s`,
    lost: "The session was lost",
    taken: "This conversation goes on elsewhere",
    ended: "Ended",
  };
  at("status").dataset.state = state;
  at("status-text").textContent = texts[state];
  at("retry").hidden = state !== "waiting" && state !== "taken";
  at("retry").textContent = state === "taken" ? "Go on here" : "Try now";
  if (state === "open") setPaused(conversation.paused);
  if (state === "taken") entry.value = ""; // it is typed there now
}

// --- the conversation

const speaker = new Speaker({
  onHeard: (id, characters) => conversation.heard(id, characters),
  onTrouble: (error) => {
    const denied = error === "not-allowed" && "The browser lets this page speak only after you have pressed something in it.";
    notice(`${denied || `The browser could not speak (${error}).`} Its words are shown all the same.`);
  },
});
let conversation;

function begin(token = null) {
  notice("");
  conversation?.end();
  setPaused(false);
  conversation = new Conversation({
    url: endpoint(location),
    settings,
    speaker,
    token,
    onToken: keepToken,
    onDraft: (text) => (entry.value ||= text),
    onChange: show,
    onState: showState,
    onWords: (words) => log.announce(words),
    onNotice: notice,
  });
  show();
}

function newConversation() {
  if (replay.timeline) replay.stop();
  entry.value = "";
  begin();
  entry.focus();
}

function setPaused(paused) {
  at("pause").setAttribute("aria-pressed", String(paused));
  if (!paused && document.activeElement === at("step")) at("pause").focus(); // it would be nowhere
  at("step").hidden = !paused;
}

function togglePause() {
  conversation.pause(!conversation.paused);
  setPaused(conversation.paused);
  showState(conversation.client.state);
}

at("new").addEventListener("click", newConversation);
at("notice-close").addEventListener("click", () => {
  notice("");
  entry.focus();
});
at("pause").addEventListener("click", togglePause);
at("step").addEventListener("click", () => conversation.step());
at("retry").addEventListener("click", () => {
  conversation.client.retry();
  conversation.client.takeBack();
});
at("stop").addEventListener("click", () => {
  conversation.stop();
  entry.focus();
});
addEventListener("online", () => conversation.client.retry());
addEventListener("pagehide", (event) => event.persisted || conversation.leave());
addEventListener("pageshow", (event) => event.persisted && conversation.client.retry());

// --- typing

let drafting = 0;

entry.addEventListener("input", () => {
  drafting ||= setTimeout(() => {
    drafting = 0;
    conversation.type(entry.value);
  }, DRAFT_EVERY);
});

function send(text) {
  clearTimeout(drafting);
  drafting = 0;
  if (replay.timeline) replay.stop();
  conversation.commit(text);
  entry.value = "";
}

entry.addEventListener("keydown", (event) => {
  if (event.isComposing) return; // Enter and Escape belong to the input method
  if (event.key === "Enter" && !event.shiftKey) {
    event.preventDefault();
    send(entry.value);
  } else if (event.key === "Escape") {
    if (entry.value) {
      entry.value = "";
      entry.dispatchEvent(new Event("input"));
    } else conversation.stop();
  }
});

at("composer").addEventListener("submit", (event) => {
  event.preventDefault();
  send(entry.value);
  entry.focus();
});

for (const starter of document.querySelectorAll(".starter")) {
  starter.addEventListener("click", () => {
    send(starter.textContent);
    entry.focus();
  });
}

addEventListener("keydown", (event) => {
  const key = { KeyN: "new", KeyP: "pause", KeyT: "talk" }[event.code];
  if (!event.altKey || event.ctrlKey || event.metaKey || !key) return;
  event.preventDefault();
  at(key).click();
});

// --- talking

const listener = new Listener({
  onDraft: (text) => {
    entry.value = text;
    conversation.type(text);
  },
  onFinal: send,
  onState: (on) => at("talk").setAttribute("aria-pressed", String(on)),
  onTrouble: (error) => {
    const denied = error === "not-allowed" || error === "service-not-allowed";
    notice(denied ? "The browser does not let this page listen. Allow the microphone for it, or type." : `The browser could not listen (${error}). You can type.`);
  },
});

at("talk").disabled = !listener.available;
at("talk").addEventListener("click", () => (listener.on ? listener.stop() : listener.start()));

function speechNote() {
  const notes = [];
  if (!listener.available) notes.push("This browser has no speech recognition (Chrome, Edge and Safari have): type in place of talking.");
  else notes.push("The browser recognizes what you say, some with a service of their maker's. With replies spoken aloud, use headphones, or the assistant hears itself.");
  if (!speaker.available) notes.push("This browser has no speech synthesis: replies are shown only.");
  at("speech-note").textContent = notes.join(" ");
}

// --- settings

const aloud = at("aloud");
aloud.disabled = !speaker.available;
settings.aloud &&= speaker.available;
aloud.checked = settings.aloud;
aloud.addEventListener("change", () => {
  conversation.speakAloud(aloud.checked);
  remember();
});

function showVoices() {
  const select = at("voice");
  const voices = speaker.voices.map(({ voiceURI, name, lang }) => element("option", { value: voiceURI }, `${name} (${lang})`));
  select.replaceChildren(element("option", { value: "" }, "The browser's own"), ...voices);
  select.value = settings.voice;
  if (select.selectedIndex < 0) select.value = "";
  useVoice(select.value);
}

function useVoice(uri) {
  speaker.voice = uri;
  listener.language = speaker.voices.find(({ voiceURI }) => voiceURI === uri)?.lang ?? navigator.language;
}

at("voice").disabled = !speaker.available;
at("voice").addEventListener("change", ({ target }) => {
  settings.voice = target.value;
  useVoice(target.value);
  remember();
});
speaker.whenVoicesChange(showVoices);

function showLength() {
  const now = String(conversation.timeline.sliceMs);
  const select = at("slice");
  if (select.value === now) return;
  const lengths = [...new Set([...LENGTHS, Number(now)])].sort((one, other) => one - other);
  select.replaceChildren(...lengths.map((length) => element("option", { value: length }, `${length / 1000} s`)));
  select.value = now;
}

at("slice").addEventListener("change", ({ target }) => {
  conversation.sliceOf(Number(target.value));
  remember();
});

function dialText(bias) {
  if (bias === 0) return "as it was trained";
  return `${bias < 0 ? "speaks sooner" : "waits longer"}, ${Math.abs(bias)}`;
}

function writeDial(bias) {
  at("dial-text").textContent = dialText(bias);
  at("dial").setAttribute("aria-valuetext", dialText(bias));
}

function showDial() {
  const offered = conversation.timeline.idleBias;
  at("dial-field").hidden = offered === null;
  const now = settings.idleBias ?? offered; // while the dial is moved, what the server says is late
  if (now === null) return;
  const dial = at("dial");
  dial.min = Math.min(-4, Math.floor(now)); // a server may have been started with more
  dial.max = Math.max(4, Math.ceil(now));
  dial.value = now;
  writeDial(now);
}

at("dial").addEventListener("input", ({ target }) => {
  settings.idleBias = Number(target.value);
  writeDial(settings.idleBias);
});
at("dial").addEventListener("change", ({ target }) => {
  conversation.bias(Number(target.value));
  remember();
});

// --- files

const replay = new Replay({
  panel: at("replay"),
  text: at("replay-text"),
  finish: at("replay-finish"),
  stop: at("replay-stop"),
  onShow: show,
  onDone: () => {
    show();
    entry.focus();
  },
});

function saving(save) {
  if (conversation.recording.empty) notice("There is nothing to save yet: say something first.");
  else save(conversation.recording, conversation.timeline);
}

at("save-json").addEventListener("click", () => saving(saveJson));
at("save-text").addEventListener("click", () => saving(saveText));
at("open").addEventListener("click", () => at("file").click());
at("file").addEventListener("change", async ({ target }) => {
  const [file] = target.files;
  target.value = "";
  if (!file) return;
  try {
    replay.start(await file.text(), file.name);
    at("settings").open = false; // what is shown needs the room
    notice("");
  } catch (error) {
    notice(error.message);
  }
});

// What may be said as little as possible at once: a phone has no room for it.
if (matchMedia("(min-width: 40rem)").matches) entry.focus();
showVoices();
speechNote();
begin(keptToken());

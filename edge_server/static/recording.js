// A conversation as it was: the events of both sides with their times. Saved as JSON or text, and played. Knows no page.

import { count, cut } from "./timeline.js";

const FORMAT = "edge-duplex conversation";
const VERSION = 1;
const LIMIT = 100_000; // events; a day of talk has fewer

export class Recording {
  constructor(began = new Date().toISOString()) {
    this.began = began;
    this.events = []; // [{at, from, event}]
  }

  /** `from`: "client" or "server"; `at`: milliseconds since the beginning. */
  add(from, event, at) {
    if (this.events.length < LIMIT) this.events.push({ at: Math.round(at), from, event: withoutToken(event) });
  }

  /** Whether anything was said. */
  get empty() {
    return !this.events.some(({ event }) => event.type === "input_text_buffer.committed");
  }

  toJSON() {
    return { format: FORMAT, version: VERSION, began: this.began, events: this.events };
  }

  /** The recording in a file's text. Throws an Error whose message says what is wrong. */
  static parse(text) {
    let saved;
    try {
      saved = JSON.parse(text);
    } catch {
      throw new Error("This file is not JSON. Choose one that “Save as JSON” has made.");
    }
    if (saved?.format !== FORMAT) throw new Error("This file holds no saved conversation. Choose one that “Save as JSON” has made.");
    if (saved.version !== VERSION) throw new Error(`This conversation was saved in version ${saved.version}; this page reads version ${VERSION}.`);
    if (!Array.isArray(saved.events) || !saved.events.every(isEntry)) throw new Error("This conversation is damaged: an event in it has no time or no type.");
    const recording = new Recording(String(saved.began));
    recording.events = saved.events.slice(0, LIMIT).sort((one, other) => one.at - other.at);
    return recording;
  }
}

function isEntry(entry) {
  return Number.isFinite(entry?.at) && entry.at >= 0 && typeof entry.event?.type === "string";
}

/** Who has the token has the conversation: it is in no file. */
function withoutToken(event) {
  if (!event.session?.resume) return event;
  const { resume, ...session } = event.session;
  return { ...event, session };
}

/** A conversation in lines: seconds, who, what; a dash is where the assistant was interrupted. */
export function asText(timeline) {
  const lines = [];
  const first = timeline.slices[0]?.at ?? 0;
  const line = (slice, who, text) => {
    const seconds = ((slice.at - first) / 1000).toFixed(1).padStart(7);
    lines.push(`${seconds}  ${who.padEnd(9)}  ${text.replace(/\s+/g, " ").trim()}`);
  };
  const said = new Map(); // item → its newest line
  for (const slice of timeline.slices) {
    for (const { text, state } of slice.user) line(slice, "you", state === "said" ? text : `(${text})`);
    const kept = slice.words.map(({ item, from, to }) => cut(item.text, from, Math.min(to, item.kept ?? to))).join("");
    if (kept.trim()) {
      line(slice, "assistant", kept);
      said.set(slice.words[0].item, lines.length - 1);
    }
  }
  for (const [item, place] of said) if (item.kept !== null && item.kept < count(item.text)) lines[place] += " —";
  return lines.join("\n") + (lines.length ? "\n" : "");
}

/** Plays a recording: `onEvent(event, at)` for each at its time, then `onEnd()`. */
export class Player {
  constructor(recording, { onEvent, onEnd = () => {} }) {
    this._events = recording.events;
    this._next = 0;
    this._onEvent = onEvent;
    this._onEnd = onEnd;
  }

  play() {
    const first = this._events[0]?.at ?? 0;
    this._began = performance.now() - first;
    this._step();
  }

  /** What is left, at once. */
  finish() {
    clearTimeout(this._timer);
    while (this._next < this._events.length) this._pass();
    this._onEnd();
  }

  stop() {
    clearTimeout(this._timer);
  }

  _step() {
    const now = performance.now() - this._began;
    while (this._next < this._events.length && this._events[this._next].at <= now) this._pass();
    if (this._next === this._events.length) this._onEnd();
    else this._timer = setTimeout(() => this._step(), this._events[this._next].at - now);
  }

  _pass() {
    const { event, at } = this._events[this._next++];
    this._onEvent(event, at);
  }
}

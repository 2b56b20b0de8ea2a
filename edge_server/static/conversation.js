// One conversation: what the user does becomes events, what the server says becomes a timeline, a recording, speech.
// Knows no page; `docs/realtime.md` has the events.

import { Client } from "./protocol.js";
import { Recording } from "./recording.js";
import { Timeline, count } from "./timeline.js";

const APPEND = "input_text_buffer.append";
const COMMIT = "input_text_buffer.commit";

/** The draft is this. */
const typed = (text) => ({ type: APPEND, text, replace: true });

/**
 * `settings`: {aloud, sliceMs (null: the model's own), idleBias (null: the server's own)}. `token`: of a session
 * to go on with, whose events come again and are shown, but not spoken. Callbacks: `onToken(token)`: what to come back
 * by; null: there is nothing to come back to. `onDraft(text)`: what was typed before. `onChange()`: the timeline
 * changed; `onState(state, detail)`: the connection's; `onWords(text)`: the assistant's words of a slice that is over;
 * `onNotice(text)`: something went wrong.
 */
export class Conversation {
  constructor({ url, settings, speaker, token = null, onToken, onDraft, onChange, onState, onWords, onNotice }) {
    this.timeline = new Timeline();
    this.recording = new Recording();
    this.paused = false;
    this._settings = settings;
    this._speaker = speaker;
    this._callbacks = { onToken, onDraft, onChange, onState, onWords, onNotice };
    this._began = performance.now();
    this._at = 0; // when the newest event was
    this._ahead = 0; // milliseconds from `at_ms`, which is by the session's clock, to this page's
    this._returning = token !== null; // what was said before this page is not known yet
    this._elsewhere = false; // the session went on on another page
    this._said = ""; // of the slice that goes on
    this._typed = ""; // what the server has as the draft
    this._unsaid = []; // [{id, text}] what was said and the server has not answered for
    this._again = []; // texts that never came into the session that is gone
    this._biased = false; // whether this session has the user's bias
    this._client = new Client({
      url,
      token,
      duplex: () => this._duplex(),
      onEvent: (event, when) => this._take("server", event, when),
      onSent: (event) => this._take("client", event),
      onState: (state, detail) => this._state(state, detail),
    });
    this._client.start();
  }

  get client() {
    return this._client;
  }

  /** What is typed or recognized so far, which may still change. */
  type(text) {
    if (text.trim() === this._typed.trim()) return;
    this._typed = text;
    this._client.send(APPEND, { text, replace: true });
  }

  /** Says it. */
  commit(text) {
    this.type(text);
    if (!text.trim()) return;
    this._typed = "";
    this._unsaid.push({ text, id: this._client.send(COMMIT) });
  }

  /** The assistant stops, where it is heard. */
  stop() {
    this._speaker.stop();
    if (this.timeline.speaking) this._client.send("response.cancel");
    else {
      const item = this.timeline.items.findLast(({ role }) => role === "assistant");
      if (item && this._unheard(item)) {
        this._client.send("conversation.item.truncate", { item_id: item.id, characters: item.heard });
      }
    }
  }

  /** Whether there is something to stop. */
  get speaking() {
    const item = this.timeline.items.at(-1);
    return this.timeline.speaking || Boolean(item && this._unheard(item));
  }

  pause(paused) {
    this.paused = paused;
    this._speaker.hold(paused);
    this._update({ clock: paused ? "client" : "server" });
  }

  /** While it is paused: one slice more. */
  step() {
    this._client.send("duplex.tick");
  }

  speakAloud(aloud) {
    this._settings.aloud = aloud;
    const item = this.timeline.items.findLast(({ role }) => role === "assistant");
    if (!aloud) this._speaker.stop();
    else if (item && this.timeline.find(item.id) === item) {
      // It was read; otherwise it would wait to be spoken, and be taken back by the next words.
      this._client.send("conversation.item.heard", { item_id: item.id, characters: count(item.text) });
    }
    this._update({ heard: aloud ? "reported" : "assumed" });
  }

  sliceOf(milliseconds) {
    this._settings.sliceMs = milliseconds;
    this._update({ slice_ms: milliseconds });
  }

  /** How likely silence is where a slice begins: below 0 the assistant speaks sooner, above it waits longer. */
  bias(bias) {
    this._settings.idleBias = bias;
    this._update({ idle_bias: bias });
  }

  heard(id, characters) {
    if (!this._settings.aloud) return;
    const item = this.timeline.find(id);
    if (item && characters > item.heard) this._client.send("conversation.item.heard", { item_id: id, characters });
  }

  end() {
    this._silence();
    this._client.end();
    this._callbacks.onToken(null);
  }

  /** The page goes; it may come back, if there is something to come back to. */
  leave() {
    if (this.recording.empty && !this._returning) this.end();
    else {
      this._silence();
      this._client.leave();
    }
  }

  _silence() {
    this._speaker.stop();
    this._speaker.hold(false);
  }

  _duplex() {
    const duplex = { clock: this.paused ? "client" : "server", heard: this._settings.aloud ? "reported" : "assumed" };
    if (this._settings.sliceMs) duplex.slice_ms = this._settings.sliceMs;
    return duplex;
  }

  /** Before there is a session there is nothing to change: what it begins with says it all. */
  _update(duplex) {
    if (!this.timeline.model) return;
    this._client.send("session.update", { session: { type: "realtime", duplex } });
  }

  _unheard(item) {
    const reported = this.timeline.heardReported && this.timeline.find(item.id) === item;
    return reported && item.role === "assistant" && item.kept === null && item.heard < count(item.text);
  }

  _state(state, detail) {
    if (state === "lost") {
      const reasons = "the server was started anew, or you were away for too long";
      this._callbacks.onNotice(
        this._returning
          ? `The conversation of before cannot go on: ${reasons}, or it was too long to be kept. This is a new one.`
          : `The session was lost: ${reasons}. This is a new one; it knows nothing of what is above.`,
      );
      if (!this._returning) this._typed = "";
      if (this._returning || this._elsewhere) this._setClock(Math.max(this._at, this._now));
      else {
        this._again.push(...this._unsaid.map(({ text }) => text));
        this._unsaid = [];
      }
      this._returning = this._elsewhere = false;
      this._speaker.stop();
      this._callbacks.onToken(null);
    }
    if (state === "taken") {
      this._elsewhere = true;
      this._said = "";
      this._speaker.stop();
      if (this._typed) this._take("client", typed("")); // it is typed there now
      this._typed = "";
      this._unsaid = [];
    }
    this._callbacks.onState(state, detail);
  }

  /** `old`: it happened before this page, and is not happening again; `back`: what was missed is behind us. */
  _take(from, event, { old = false, back = false } = {}) {
    if (back && (this._returning || this._elsewhere)) this._setClock(event.at_ms + this._ahead);
    const at = Math.max(this._at, old ? (event.at_ms ?? 0) + this._ahead : this._now);
    if (!old && event.at_ms !== undefined) this._ahead = at - event.at_ms;
    this._at = at;
    // What the user did before this page, or on another, is known by what came of it.
    const did = old && event.type === "input_text_buffer.committed" ? [typed(event.text), { type: COMMIT }] : [];
    for (const each of did) this.recording.add("client", each, at);
    this.recording.add(from, event, at);
    const before = this._place(event);
    this.timeline.take(event, at);
    if (event.type === "input_text_buffer.committed") this._callbacks.onToken(this._client.token);
    if (from === "server" && !old) {
      this._answered(event);
      this._speak(event, before);
      this._offered(event);
    }
    if (back && (this._returning || this._elsewhere)) this._goOn(event);
    this._callbacks.onChange();
  }

  get _now() {
    return performance.now() - this._began;
  }

  /** Times are counted from the session's beginning, also by a page that was not there then. */
  _setClock(now) {
    this._began = performance.now() - now;
    this.recording.began = new Date(Date.now() - now).toISOString();
  }

  /** What happened before this page, or on another, is known: it goes on as it was left there. */
  _goOn({ session, item_id: id, characters, draft }) {
    this._returning = this._elsewhere = false;
    const duplex = session.duplex ?? {};
    this.paused = duplex.clock === "client";
    if (draft && !this._typed) {
      this._typed = draft;
      this._take("client", typed(draft));
      this._callbacks.onDraft(draft);
    }
    const { heard } = this._duplex();
    if (duplex.heard !== heard) this.speakAloud(this._settings.aloud);
    else if (this._settings.aloud && !this.timeline.held) {
      const item = this.timeline.find(id);
      if (item && this._unheard(item)) this._speaker.again(id, item.text, characters);
    }
    this._speaker.hold(this.paused);
    this._useBias();
  }

  /** Every commit is answered once, in order. */
  _answered({ type, error }) {
    if (type === "input_text_buffer.committed" || type === "input_text_buffer.cleared") this._unsaid.shift();
    else if (type === "error") this._unsaid = this._unsaid.filter(({ id }) => id !== error.event_id);
    else if (type === "session.updated") for (const text of this._again.splice(0)) this.commit(text);
  }

  /** What only some servers have is asked for once the server has said that it has it. */
  _offered({ type }) {
    if (type === "session.created") this._biased = false;
    else if (type === "session.updated" && !this._biased) this._useBias();
  }

  _useBias() {
    const offered = this.timeline.idleBias;
    if (offered === null) return;
    this._biased = true;
    const { idleBias } = this._settings;
    if (idleBias !== null && idleBias !== offered) this._update({ idle_bias: idleBias });
  }

  /** How long an item is before a delta. */
  _place(event) {
    const item = event.type === "response.output_text.delta" ? this.timeline.find(event.item_id) : null;
    return item ? count(item.text) : 0;
  }

  _speak(event, before) {
    const { type } = event;
    const aloud = this._settings.aloud;
    if (type === "response.output_text.delta") {
      this._said += event.delta;
      if (aloud) this._speaker.say(event.item_id, event.delta, before);
    } else if (type === "duplex.slice" || type === "response.done") {
      if (aloud) this._speaker.flush();
      else this._callbacks.onWords(this._said);
      this._said = "";
    } else if (type === "duplex.barge_in" || type === "conversation.item.truncated") {
      this._speaker.stop();
    } else if (type === "duplex.resumed" && aloud) {
      const item = this.timeline.find(event.item_id);
      if (item) this._speaker.again(item.id, item.text, event.characters);
    } else if (type === "input_text_buffer.committed" && aloud) {
      this._speaker.stop();
    } else if (type === "error" && event.error.code !== "response_cancel_not_active") {
      // That one says only that the reply had ended by itself when "Stop" arrived.
      this._callbacks.onNotice(`The server says: ${event.error.message}.`);
    }
  }
}

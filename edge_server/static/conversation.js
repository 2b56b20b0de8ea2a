// One conversation: what the user does becomes events, what the server says becomes a timeline, a recording, speech.
// Knows no page; `docs/realtime.md` has the events.

import { Client } from "./protocol.js";
import { Recording } from "./recording.js";
import { Timeline, count } from "./timeline.js";

/**
 * `settings`: {aloud, sliceMs (null: the model's own), idleBias (null: the server's own)}. Callbacks: `onChange()`: the timeline changed; `onState(state,
 * detail)`: the connection's; `onWords(text)`: the assistant's words of a slice that is over; `onNotice(text)`: something
 * went wrong.
 */
export class Conversation {
  constructor({ url, settings, speaker, onChange, onState, onWords, onNotice }) {
    this.timeline = new Timeline();
    this.recording = new Recording();
    this.paused = false;
    this._settings = settings;
    this._speaker = speaker;
    this._callbacks = { onChange, onState, onWords, onNotice };
    this._began = performance.now();
    this._said = ""; // of the slice that goes on
    this._typed = ""; // what the server has as the draft
    this._biased = false; // whether this session has the user's bias
    this._client = new Client({
      url,
      duplex: () => this._duplex(),
      onEvent: (event) => this._take("server", event),
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
    this._client.send("input_text_buffer.append", { text, replace: true });
  }

  /** Says it. */
  commit(text) {
    if (!text.trim()) return;
    this.type(text);
    this._typed = "";
    this._client.send("input_text_buffer.commit");
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
    this._speaker.stop();
    this._speaker.hold(false);
    this._client.end();
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
      this._typed = "";
      this._speaker.stop();
      this._callbacks.onNotice(
        "The session was lost: the server was started anew, or you were away for too long. This is a new one; it knows nothing of what is above.",
      );
    }
    this._callbacks.onState(state, detail);
  }

  _take(from, event) {
    const at = performance.now() - this._began;
    this.recording.add(from, event, at);
    const before = this._place(event);
    this.timeline.take(event, at);
    if (from === "server") {
      this._speak(event, before);
      this._offered(event);
    }
    this._callbacks.onChange();
  }

  /** What only some servers have is asked for once the server has said that it has it. */
  _offered({ type }) {
    if (type === "session.created") this._biased = false;
    else if (type === "session.updated" && !this._biased && this.timeline.idleBias !== null) {
      this._biased = true;
      const { idleBias } = this._settings;
      if (idleBias !== null && idleBias !== this.timeline.idleBias) this._update({ idle_bias: idleBias });
    }
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

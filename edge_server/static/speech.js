// The browser's own speech: synthesis that tells how far it was heard, recognition that tells what it understands.

import { count, cut } from "./timeline.js";

const STARTS_WITHIN = 4000; // milliseconds; a browser may have synthesis and no voice, and then says nothing at all
const SENTENCE = /[.!?。！？]["'”’)]*\s*$/u;

/** Speaks replies; `onHeard(itemId, characters)` as the words go by. */
export class Speaker {
  constructor({ onHeard, onTrouble = () => {} }) {
    this.voice = "";
    this._synthesis = globalThis.speechSynthesis;
    this._Utterance = globalThis.SpeechSynthesisUtterance;
    this._onHeard = onHeard;
    this._onTrouble = onTrouble;
    this._chunk = null; // {id, text, from}: words that wait for the end of their slice or sentence
    this._round = 0; // what was spoken before `stop` is not listened to any more
    this._queue = []; // [{started, fail}]: what the browser was given and has not finished
    this._held = false;
  }

  get available() {
    return Boolean(this._synthesis && this._Utterance);
  }

  get voices() {
    return this.available ? this._synthesis.getVoices() : [];
  }

  /** Calls back when the list of voices is there, or another. */
  whenVoicesChange(call) {
    this._synthesis?.addEventListener?.("voiceschanged", call);
  }

  /** Words of an item, from a character on. */
  say(id, text, from) {
    if (this._chunk && this._chunk.id !== id) this.flush();
    this._chunk ??= { id, text: "", from };
    this._chunk.text += text;
    if (SENTENCE.test(this._chunk.text)) this.flush();
  }

  /** No more words will come soon: speak those that wait. */
  flush() {
    const chunk = this._chunk;
    this._chunk = null;
    if (!chunk) return;
    const { id, text, from } = chunk;
    const end = from + count(text);
    if (!text.trim()) {
      this._onHeard(id, end);
      return;
    }
    const round = this._round;
    const listen = (call) => (event) => round === this._round && call(event);
    const done = (error) => {
      const place = this._queue.indexOf(entry);
      if (place < 0) return; // it had been given up
      this._queue.splice(place, 1);
      this._watch();
      this._onHeard(id, end); // where it failed too: it was shown, and else the assistant would wait for ever
      if (error) this._onTrouble(error);
    };
    const entry = { started: false, fail: listen(done) };
    const utterance = new this._Utterance(text);
    utterance.voice = this.voices.find(({ voiceURI }) => voiceURI === this.voice) ?? null;
    if (utterance.voice) utterance.lang = utterance.voice.lang;
    utterance.onstart = () => (entry.started = true);
    utterance.onboundary = listen(({ charIndex }) => this._onHeard(id, from + count(text.slice(0, charIndex))));
    utterance.onend = listen(() => done());
    utterance.onerror = listen(({ error }) => done(error));
    this._queue.push(entry);
    this._synthesis.speak(utterance);
    if (this._queue.length === 1) this._watch();
  }

  /** The first that waits must begin soon. */
  _watch() {
    clearTimeout(this._timer);
    const [entry] = this._queue;
    if (!entry || this._held) return;
    this._timer = setTimeout(() => entry.started || entry.fail("it has no voice"), STARTS_WITHIN);
  }

  /** Speak an item again from a character on, in place of all that waits. */
  again(id, text, from) {
    this.stop();
    if (count(text) > from) this.say(id, cut(text, from), from);
    this.flush();
  }

  stop() {
    this._round++;
    this._chunk = null;
    this._queue = [];
    clearTimeout(this._timer);
    this._synthesis?.cancel();
  }

  hold(held) {
    this._held = held;
    this._watch();
    if (held) this._synthesis?.pause();
    else this._synthesis?.resume();
  }
}

/** Listens; `onDraft(text)` for what may still change, `onFinal(text)` for what will not. */
export class Listener {
  constructor({ onDraft, onFinal, onState, onTrouble }) {
    this.on = false;
    this.language = globalThis.navigator.language;
    this._Recognition = globalThis.SpeechRecognition ?? globalThis.webkitSpeechRecognition;
    this._callbacks = { onDraft, onFinal, onState, onTrouble };
  }

  get available() {
    return Boolean(this._Recognition);
  }

  start() {
    this.on = true;
    this._callbacks.onState(true);
    this._begin();
  }

  stop() {
    this.on = false;
    this._recognition?.stop();
    this._callbacks.onState(false);
  }

  _begin() {
    const recognition = new this._Recognition();
    this._recognition = recognition;
    Object.assign(recognition, { continuous: true, interimResults: true, lang: this.language });
    recognition.onresult = (event) => this._hear(event);
    recognition.onend = () => this.on && this._recognition === recognition && this._begin(); // browsers end it by themselves
    recognition.onerror = ({ error }) => {
      if (error === "no-speech" || error === "aborted") return;
      this.on = false;
      this._callbacks.onState(false);
      this._callbacks.onTrouble(error);
    };
    recognition.start();
  }

  _hear({ results, resultIndex }) {
    let draft = "";
    for (const result of [...results].slice(resultIndex)) {
      if (result.isFinal) this._callbacks.onFinal(result[0].transcript.trim());
      else draft += result[0].transcript;
    }
    if (draft.trim()) this._callbacks.onDraft(draft.trim());
  }
}

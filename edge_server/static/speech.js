// The browser's own speech: synthesis that tells how far it was heard, recognition that tells what it understands.

import { count, cut } from "./timeline.js";

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
    const heard = (characters) => round === this._round && this._onHeard(id, characters);
    const utterance = new this._Utterance(text);
    utterance.voice = this.voices.find(({ voiceURI }) => voiceURI === this.voice) ?? null;
    if (utterance.voice) utterance.lang = utterance.voice.lang;
    utterance.onboundary = ({ charIndex }) => heard(from + count(text.slice(0, charIndex)));
    utterance.onend = () => heard(end);
    utterance.onerror = ({ error }) => {
      if (round !== this._round) return;
      this._onHeard(id, end); // it was shown; without this the assistant would wait for ever to be heard
      this._onTrouble(error);
    };
    this._synthesis.speak(utterance);
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
    this._synthesis?.cancel();
  }

  hold(held) {
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

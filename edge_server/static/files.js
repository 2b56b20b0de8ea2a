// Saving a conversation, and replaying one that was saved.

import { Player, Recording, asText } from "./recording.js";
import { Timeline, count } from "./timeline.js";
import { describe, element } from "./picture.js";

/** Gives a file to the browser to save. */
export function save(name, type, text) {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = element("a", { href: url, download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A name with the time in it, which files on any system may have. */
export function nameOf(recording, ending) {
  return `conversation-${recording.began.slice(0, 19).replace(/[^0-9T]/g, "-")}.${ending}`;
}

export function saveJson(recording) {
  save(nameOf(recording, "json"), "application/json", JSON.stringify(recording, null, 1));
}

export function saveText(recording, timeline) {
  save(nameOf(recording, "txt"), "text/plain", asText(timeline));
}

/** Throws an Error where something in it cannot be shown: else the replay would stop there, and not say why. */
function tryOut(recording) {
  const timeline = new Timeline();
  try {
    for (const { event, at } of recording.events) timeline.take(event, at);
    timeline.slices.forEach(describe);
    for (const { text } of timeline.items) count(text);
  } catch {
    throw new Error("This conversation is damaged: an event in it is not as the server sends it.");
  }
}

/** Shows saved conversations. `onShow(timeline)`: draw this; `onDone()`: go back to the one that goes on. */
export class Replay {
  constructor({ panel, text, finish, stop, onShow, onDone }) {
    this.timeline = null;
    this._panel = panel;
    this._text = text;
    this._finish = finish;
    this._onShow = onShow;
    this._onDone = onDone;
    finish.addEventListener("click", () => {
      this._player?.finish();
      stop.focus(); // the other is gone now
    });
    stop.addEventListener("click", () => this.stop());
  }

  /** Throws an Error that says what is wrong with the file. */
  start(fileText, name) {
    const recording = Recording.parse(fileText);
    tryOut(recording);
    this._player?.stop();
    this.timeline = new Timeline();
    const timeline = this.timeline;
    this._player = new Player(recording, {
      onEvent: (event, at) => {
        timeline.take(event, at);
        this._onShow();
      },
      onEnd: () => {
        this._text.textContent = `Replayed: ${name}`;
        this._finish.hidden = true;
      },
    });
    this._text.textContent = `Replaying ${name}`;
    this._finish.hidden = false;
    this._panel.hidden = false;
    this._finish.focus();
    this._onShow();
    this._player.play();
  }

  stop() {
    this._player?.stop();
    this._player = null;
    this.timeline = null;
    this._panel.hidden = true;
    this._onDone();
  }
}

/**
 * `<drop-zone>`: takes files and folders dropped anywhere on the page, and files and text pasted into it, and says so while
 * they hover. Emits `files-added`, `text-added`, and `files-missed` when something could not be reached. Never reads a file.
 *
 * @module
 */

import { droppedFiles, pickedFiles } from "./dropped.js";

/** The element; it holds the text field. */
export class DropZone extends HTMLElement {
  #stop = new AbortController();
  /** Nested elements enter and leave one by one. */
  #depth = 0;

  connectedCallback() {
    this.#stop = new AbortController();
    const options = { signal: this.#stop.signal };
    addEventListener("dragenter", (event) => this.#hover(event, 1), options);
    addEventListener("dragleave", (event) => this.#hover(event, -1), options);
    addEventListener("dragover", (event) => this.#over(event), options);
    addEventListener("drop", (event) => this.#drop(event), options);
    addEventListener("paste", (event) => this.#paste(event), options);
  }

  disconnectedCallback() {
    this.#stop.abort();
  }

  /** @param {DragEvent} event @param {number} step */
  #hover(event, step) {
    if (!this.#takes(event)) return;
    this.#depth = Math.max(0, this.#depth + step);
    this.toggleAttribute("data-hover", this.#depth > 0);
  }

  /** @param {DragEvent} event */
  #over(event) {
    if (!this.#takes(event)) return;
    event.preventDefault();
    if (event.dataTransfer) event.dataTransfer.dropEffect = "copy";
  }

  /** @param {DragEvent} event */
  #drop(event) {
    this.#depth = 0;
    this.removeAttribute("data-hover");
    if (!this.#takes(event) || !event.dataTransfer) return;
    event.preventDefault();
    void droppedFiles(event.dataTransfer.items).then(({ files, missed }) => {
      this.#add(files);
      if (missed > 0) this.dispatchEvent(new CustomEvent("files-missed"));
    });
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const { clipboardData: pasted, target } = event;
    if (!pasted || !this.checkVisibility()) return;
    const written = pasted.getData("text/plain");
    const is_field = target instanceof HTMLInputElement || target instanceof HTMLTextAreaElement;
    // A spreadsheet's cells come as text and as a picture of it: whoever pastes into a field wants the text.
    if (written !== "" && is_field) return;
    const detail = written;
    if (pasted.files.length > 0 && written === "") this.#add(pickedFiles(pasted.files));
    else if (written !== "") this.dispatchEvent(new CustomEvent("text-added", { detail }));
    else return;
    event.preventDefault();
  }

  /** @param {import("./dropped.js").AddedFile[]} files */
  #add(files) {
    if (files.length > 0) this.dispatchEvent(new CustomEvent("files-added", { detail: files }));
  }

  /** @param {DragEvent} event */
  #takes(event) {
    return this.checkVisibility() && (event.dataTransfer?.types.includes("Files") ?? false);
  }
}

customElements.define("drop-zone", DropZone);

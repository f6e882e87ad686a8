/**
 * `<drop-zone>`: takes files dropped anywhere on the page or pasted into it, and says so while they hover. Emits
 * `files-added` with the files and `folder-refused`. Never reads a file.
 *
 * @module
 */

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
    const items = [...event.dataTransfer.items].filter((item) => item.kind === "file");
    const folders = items.some((item) => item.webkitGetAsEntry()?.isDirectory);
    const files = items.filter((item) => !item.webkitGetAsEntry()?.isDirectory).map((item) => item.getAsFile());
    if (folders) this.dispatchEvent(new CustomEvent("folder-refused"));
    this.#add(files.filter((file) => file !== null));
  }

  /** @param {ClipboardEvent} event */
  #paste(event) {
    const files = [...(event.clipboardData?.files ?? [])];
    if (files.length === 0 || !this.checkVisibility()) return;
    event.preventDefault();
    this.#add(files);
  }

  /** @param {File[]} files */
  #add(files) {
    if (files.length > 0) this.dispatchEvent(new CustomEvent("files-added", { detail: files }));
  }

  /** @param {DragEvent} event */
  #takes(event) {
    return this.checkVisibility() && (event.dataTransfer?.types.includes("Files") ?? false);
  }
}

customElements.define("drop-zone", DropZone);

"""The week as a file of slides: what each slide says (`content`), and its drawing in PowerPoint's own terms (`deck`)."""

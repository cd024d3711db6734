"""What changed since a version was trained, and how often it errs: signals, asked labels, alarms."""

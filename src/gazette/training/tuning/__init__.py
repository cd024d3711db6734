"""Better numbers for a candidate: tried on train rows, judged on valid rows, shown as a change of params.yaml."""

"""After training: the same experiment with base and tuned; what was gained, lost and learnt by heart."""

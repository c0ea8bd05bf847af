"""Git: repositories as users name them, reached, read and linked to without running anything of theirs."""

"""The subcommands of ``aipipe-deploy``, one module each."""

"""Names that nothing in the product calls, and why they stay; `make check` reads this file with the packages."""

from types import SimpleNamespace

_ = SimpleNamespace()

# Called by the libraries that the classes plug into.
_.send_400_response, _.keep_alive, _.should_exit, _.capture_signals  # uvicorn
_.unraisablehook, _.handleError  # sys, logging
_.callbacks  # python-multipart
_._receive_buffer  # h11
_.writable, _.seekable, _.external_attr, _.create_system, _.create_version, _.extract_version  # io, zipfile
_.revision, _.down_revision  # alembic

# The kernel's numbering of rights (landlock.h): the ones between those that we name count, too.
_.MAKE_CHAR, _.MAKE_SOCK, _.MAKE_FIFO, _.MAKE_BLOCK, _.MAKE_SYM

# Read by templates.
_.direction, _.local_digits, _.first_bad, _.met, _.stages, _.always, _.cost, _.reports, _.reply_by, _.point

# Formats whose readers and writers come with the ledger's merge; their vectors hold them to it today.
_.sign_checkpoint, _.open_checkpoint, _.parse_entry, _.tree_root
_.prove_inclusion, _.prove_consistency, _.check_inclusion, _.check_consistency

# Called by the pages of the questionnaire.
_.seal_progress

# What a caller may ask of a type although ours does not yet.
_.pseudo_address, _.wait_ended, _.summary, _.item_crc, _.plain_sha256
_.last_fetch, _.open_submission, _.IO

# The browser of tests and demo: tests read more of a page than the demo does.
_.title, _.heading, _.every, _.unix_client

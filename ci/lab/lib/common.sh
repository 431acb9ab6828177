# shellcheck shell=bash
# Shared by the build and its stages.
umask 022 # for all that ends in an image

# Progress goes to fd 8 (the caller's stderr), so that a stage can send all else to its log.
: "${LAB_STARTED:=$(date +%s)}"
export LAB_STARTED
{ true >&8; } 2>/dev/null || exec 8>&2

# One progress line, with the seconds since the build began.
say() { printf 'lab: [%4ds] %s\n' "$(($(date +%s) - LAB_STARTED))" "$*" >&8; }

# A stage or the build went wrong: exit code 1.
fail() { printf 'lab: error: %s\n' "$*" >&8; exit 1; }

# The build cannot run like this, nothing was changed: exit code 2.
refuse() { printf 'lab: %s\n' "$*" >&8; exit 2; }

"""Every resource limit, in one place. Beyond one of them an input is refused with a reason, never truncated."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, everything else a count. The largest merge of Linux has 66 parents."""

    commit_size: int = 1 << 20
    commit_header_lines: int = 10_000
    commit_parents: int = 256
    tag_size: int = 1 << 20
    tag_depth: int = 8
    tree_size: int = 8 << 20
    tree_depth: int = 2048  # as git's core.maxTreeDepth
    changed_paths: int = 1_000_000
    blob_size: int = 8 << 20  # of what is parsed
    content_size: int = 512 << 20  # of a file that is exported or hashed: it is in memory as a whole
    content_entries: int = 5_000_000
    content_bytes: int = 64 << 30
    content_depth: int = 256  # as many directories are open at once
    symlink_size: int = 4095  # as PATH_MAX
    signature_size: int = 64 << 10
    fetch_size: int = 16 << 30
    fetch_memory: int = 8 << 30  # of each process of git's; what indexes the largest packs takes 2 or 3
    fetch_seconds: int = 6 * 3600
    ancestry_steps: int = 5_000_000
    ancestry_steps_per_commit: int = 200
    policy_size: int = 1 << 20
    policy_depth: int = 16
    policy_nodes: int = 200_000
    certificate_file_size: int = 8 << 20
    certificate_packets: int = 20_000
    certificate_files: int = 4096
    certificate_bytes: int = 32 << 20
    revision_length: int = 1000
    self_signatures: int = 256
    merge_bases: int = 32
    merge_lines: int = 250_000
    merge_file_steps: int = 10_000_000
    merge_steps: int = 64_000_000
    merge_run_steps: int = 500_000_000
    merge_run_steps_per_commit: int = 200_000
    merge_bytes: int = 256 << 20
    merge_names: int = 1_000_000
    merge_directories: int = 200_000
    merge_tree_bytes: int = 256 << 20
    sexp_depth: int = 64
    lock_size: int = 2 << 20
    lock_depth: int = 32
    lock_nodes: int = 10_000
    gateway_head: int = 16 << 10  # of a request, its line included
    gateway_head_seconds: int = 10  # until it is complete, and until the next one begins
    gateway_stall: int = 60  # seconds in which a client takes nothing
    gateway_connections: int = 256
    gateway_waiting: int = 64  # requests that wait for something to be judged or written
    evidence_objects: int = 50_000_000
    rsa_bits: int = 16_384


LIMITS = Limits()

-- Repositories that live in git.

-- The directory with the repositories of this state, among those beside the database.
ALTER TABLE emulator ADD COLUMN git_generation INTEGER NOT NULL DEFAULT 1;

-- Whether somebody has pushed to a repository: then its heads are those in git.
ALTER TABLE repositories ADD COLUMN in_git INTEGER NOT NULL DEFAULT 0 CHECK (in_git IN (0, 1));

-- The tags that executions have earned and that git does not have yet.
CREATE TABLE git_tags (
    program_id    INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    name          TEXT    NOT NULL,      -- without refs/tags/
    commit_id     TEXT    NOT NULL,
    PRIMARY KEY (program_id, repository_id, name),
    FOREIGN KEY (program_id, repository_id) REFERENCES repositories (program_id, id) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The repositories of an exported state, each as a git bundle in pieces; one without objects has none.
CREATE TABLE bundle_chunks (
    program_id    INTEGER NOT NULL,
    repository_id INTEGER NOT NULL,
    number        INTEGER NOT NULL,      -- from 0; all but the last have the same length
    bytes         BLOB    NOT NULL,
    PRIMARY KEY (program_id, repository_id, number),
    FOREIGN KEY (program_id, repository_id) REFERENCES repositories (program_id, id) ON DELETE CASCADE
) STRICT;

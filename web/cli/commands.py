"""All commands by their groups, in the order in which help lists them."""

from web.cli.command import Command, Group

COMMANDS: tuple[Command | Group, ...] = (
    Command("serve", "serve the product, with a worker process beside it", "operations.serve"),
    Command("work", "do the jobs: suggest, generate, learn", "operations.work"),
    Command("migrate", "bring the database to the newest schema", "operations.migrate"),
    Command(
        "simulate", "rate as simulated raters who like what is near the demo photos' originals", "operations.simulate"
    ),
    Command("promote", "make a version of a prompt live, or the best settings of a study", "prompts.promote"),
    Command("rollback", "make the version of a prompt live again that was live before", "prompts.rollback"),
    Command("evolve", "ask for a better version of a study's prompt", "evolution"),
    Command("abtests", "open A/B tests, look at them, steer them, approve or decline what won", "abtests"),
    Command("enhance", "apply the best settings to a photo or to a folder of photos", "prompts.enhance"),
    Command("user", "invite people, list them, make a sign-in link, end access", "accounts.people"),
    Command("key", "make the keys that machines come in with, list them, revoke them", "accounts.keys"),
    Command("erase", "erase a person or a photo for good", "operations.erase"),
    Command("export", "write a study or the whole project into one file", "operations.exporting"),
    Command("table", "write ratings, options, experiments or inputs as CSV or Parquet, for analysis", "tables"),
    Command("import", "bring in an exported study or project, or photos from a folder", "operations.importing"),
    Command("backup", "write the whole SQLite database and all images into one file", "operations.backup"),
    Command("restore", "put a backup into an empty place", "operations.restore"),
    Command("verify", "check the audit, rows, published files and images; say what is wrong", "operations.verify"),
    Command("doctor", "say what is missing or wrong here, and what to do", "operations.doctor", needs_settings=False),
    Command(
        "reference",
        "print the reference of routes, settings, commands and errors",
        "operations.reference",
        needs_settings=False,
    ),
)

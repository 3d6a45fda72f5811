"""Keys and passwords by the expressions of detect-secrets' named detectors, which ask nobody."""

import re
from functools import cache
from importlib import import_module

from web.domain.prompts.hostile import Finding
from web.hooks import implements

DETECTORS = (
    "aws.AWSKeyDetector", "azure_storage_key.AzureStorageKeyDetector", "basic_auth.BasicAuthDetector",
    "discord.DiscordBotTokenDetector", "github_token.GitHubTokenDetector", "gitlab_token.GitLabTokenDetector",
    "jwt.JwtTokenDetector", "mailchimp.MailchimpDetector", "npm.NpmDetector",
    "private_key.PrivateKeyDetector", "pypi_token.PypiTokenDetector", "sendgrid.SendGridDetector",
    "slack.SlackDetector", "square_oauth.SquareOAuthDetector", "stripe.StripeDetector",
    "telegram_token.TelegramBotTokenDetector", "twilio.TwilioKeyDetector",
)  # fmt: skip


@implements
def scan(text: str) -> list[Finding]:
    """Return the keys and passwords in a text."""
    return [Finding("secret", *match.span()) for pattern in _patterns() for match in pattern.finditer(text)]


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    """Return the expressions of the detectors; loaded when first needed, as that is slow."""
    named = (name.split(".") for name in DETECTORS)
    kinds = [getattr(import_module(f"detect_secrets.plugins.{module}"), kind) for module, kind in named]
    return tuple(pattern for kind in kinds for pattern in kind.denylist)

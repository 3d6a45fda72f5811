"""The product: studies, raters, ratings, prompts, and the pages and machines that use them."""

"""What a product team owns: callback messages, words, look, logos, drafts and versions."""

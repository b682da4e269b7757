"""From the text in content/ to the notebooks in notebooks/, solutions/ and labs/."""

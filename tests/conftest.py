"""Its place lets every test import `helpers`: pytest puts the folder of a conftest on the path."""

"""Host applications in other people's frameworks, each as its own documentation builds one."""

"""What can be done to an edit: functions from an EDL to an EDL, one a module, all on the output's clock."""

"""What `confsync record-facts` asks Calendar, in the order of reading: questions, look, experiment, report."""

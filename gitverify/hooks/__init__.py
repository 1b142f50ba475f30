"""Git's hooks: is what is about to be pushed, received, fetched or merged authentic?"""

"""Looking at a repository's policy and changing it: files, trees and commits around ``policies/edit``."""

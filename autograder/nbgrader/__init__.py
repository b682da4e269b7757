"""The engine inside nbgrader: `nbgrader autograde`, `NbGraderAPI.autograde`, formgrader's button.

nbgrader_config.py names the classes:

- `exporter.SubmissionExporter` lets nbgrader read every submission only after it was rebuilt;
- `preprocessors.Judge` takes the place of `Execute`: checks outside, students' code in a sandbox;
- `preprocessors.OverwriteCells` leaves hidden tests out of the autograded notebook;
- `preprocessors.SaveAutoGrades` lets nbgrader write its rows, and flags what a person must see;
- `feedback.FeedbackPage` makes the page that students get;
- `markdown.harmless` shows what students wrote in Markdown without what could run.

A lab without check cells is graded by nbgrader as it comes, so that other courses go on working.
"""

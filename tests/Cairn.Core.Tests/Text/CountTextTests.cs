using Cairn.Core.Text;

namespace Cairn.Core.Tests.Text;

public sealed class CountTextTests
{
    [Theory]
    [InlineData(0, "0 copies")]
    [InlineData(1, "1 copy")]
    [InlineData(2_000, "2,000 copies")]
    public void One_is_one(long count, string text) => Assert.Equal(text, CountText.Of(count, "copy", "copies"));

    [Fact]
    public void Most_words_take_an_s() => Assert.Equal("3 files", CountText.Of(3, "file"));
}
